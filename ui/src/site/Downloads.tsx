import { useQuery } from '@tanstack/react-query';
import { request } from '../api/client';
import type { Platform } from '../api/types/Platform';
import type { SiteInfo } from '../api/types/SiteInfo';
import { FailureNotice } from '../shared/FailureNotice';
import { formatBytes } from '../shared/format';
import { Icon } from '../shared/icons';
import { Loading, Notice } from '../shared/parts';

const PLATFORMS: Record<Platform, string> = { windows: 'Windows', macos: 'macOS', linux: 'Linux' };

async function loadDownloads() {
  return (await request<SiteInfo>('GET', '/site')).downloads;
}

export function Downloads() {
  const list = useQuery({ queryKey: ['downloads'], queryFn: loadDownloads, retry: false });
  if (list.isPending) return <Loading what="Looking for the downloads" />;
  if (list.isError) return <FailureNotice error={list.error} onRetry={() => void list.refetch()} />;
  if (list.data.length === 0) {
    return (
      <Notice tone="info" title="The recorder is not published here yet.">
        <span>Ask for it on your order page. Do not take it from anywhere else.</span>
      </Notice>
    );
  }
  return (
    <ul className="downloads">
      {list.data.map((download) => (
        <li key={download.name} className="card">
          <div className="row spread wrap">
            <div>
              <strong>{PLATFORMS[download.platform]}</strong>
              <p className="muted">
                {download.name} · {formatBytes(download.bytes)}
              </p>
            </div>
            <a className="button primary large" href={`/downloads/${encodeURIComponent(download.name)}`} download>
              <Icon name="down" />
              Download
            </a>
          </div>
          <details>
            <summary>Check the file</summary>
            <p>
              SHA-256: <code className="hash">{download.sha256}</code>
            </p>
          </details>
        </li>
      ))}
    </ul>
  );
}
