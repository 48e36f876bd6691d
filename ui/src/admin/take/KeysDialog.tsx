import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { Button } from '../../shared/parts';
import { KEY_HELP } from './keys';

export function KeysDialog({ isOpen, setOpen }: { isOpen: boolean; setOpen: (open: boolean) => void }) {
  return (
    <ModalOverlay className="veil" isOpen={isOpen} onOpenChange={setOpen} isDismissable>
      <Modal className="dialog">
        <Dialog>
          <Heading slot="title">Keys</Heading>
          <table className="table keys">
            <tbody>
              {KEY_HELP.map(([keys, meaning]) => (
                <tr key={meaning}>
                  <th scope="row">
                    <span className="row">
                      {keys.map((key) => (key === '…' ? <span key={key}>…</span> : <kbd key={key}>{key}</kbd>))}
                    </span>
                  </th>
                  <td>{meaning}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <p className="muted">Keys rest while you write; Esc leaves the field.</p>
          <Button look="primary" onClick={() => setOpen(false)}>
            Close
          </Button>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
