/**
 * A line to the server that misbehaves on demand.
 *
 * `open(port, {cutAfter, cuts, stallAfter})`: each of the first `cuts` connections is torn down once it carried
 * `cutAfter` bytes towards the server; the first one to carry more than `stallAfter` stalls for ever, which `stalled` tells.
 */
import net from 'node:net';

export function open(port, { cutAfter = Infinity, cuts = 0, stallAfter = Infinity } = {}) {
  const open = new Set();
  let cut = 0;
  let hasStalled = false;
  let tellStalled;
  const stalledOnce = new Promise((resolve) => (tellStalled = resolve));
  const listener = net.createServer((client) => {
    const server = net.connect(port, '127.0.0.1');
    let carried = 0;
    let stalled = false;
    for (const socket of [client, server]) {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      // A torn connection ends here; its client is what is looked at.
      socket.on('error', () => undefined);
    }
    server.pipe(client);
    client.on('data', (bytes) => {
      carried += bytes.length;
      if (stalled) return;
      if (!hasStalled && carried > stallAfter) {
        stalled = true;
        hasStalled = true;
        server.write(bytes.subarray(0, 1000));
        tellStalled();
        return;
      }
      if (cut < cuts && carried > cutAfter) {
        cut += 1;
        // Some of it still arrives.
        server.write(bytes.subarray(0, bytes.length >> 1), () => {
          server.resetAndDestroy();
          client.resetAndDestroy();
        });
        return;
      }
      if (!server.write(bytes)) {
        client.pause();
        server.once('drain', () => client.resume());
      }
    });
    client.on('end', () => server.end());
    server.on('close', () => client.destroy());
    client.on('close', () => (stalled ? undefined : server.destroy()));
  });
  return new Promise((resolve) => {
    listener.listen(0, '127.0.0.1', () =>
      resolve({
        port: listener.address().port,
        cuts: () => cut,
        stalled: stalledOnce,
        close: () => {
          for (const socket of open) socket.destroy();
          listener.close();
        },
      }),
    );
  });
}
