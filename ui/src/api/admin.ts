import { PROOF_PATH, query, request } from './client';
import type { Page } from './page';
import type { AdminRow } from './types/AdminRow';
import type { AuditRow } from './types/AuditRow';
import type { CampaignView } from './types/CampaignView';
import type { Drained } from './types/Drained';
import type { DrainRequest } from './types/DrainRequest';
import type { ErasureRequest } from './types/ErasureRequest';
import type { ErasureView } from './types/ErasureView';
import type { InviteRequest } from './types/InviteRequest';
import type { InvitesMade } from './types/InvitesMade';
import type { InviteView } from './types/InviteView';
import type { JobRow } from './types/JobRow';
import type { JobStage } from './types/JobStage';
import type { Lock } from './types/Lock';
import type { LoginRequest } from './types/LoginRequest';
import type { LoginView } from './types/LoginView';
import type { PayoutView } from './types/PayoutView';
import type { ProofRequest } from './types/ProofRequest';
import type { RecoveryCodes } from './types/RecoveryCodes';
import type { RedactionView } from './types/RedactionView';
import type { RedactRequest } from './types/RedactRequest';
import type { Reviewed } from './types/Reviewed';
import type { ReviewRequest } from './types/ReviewRequest';
import type { SessionView } from './types/SessionView';
import type { Stats } from './types/Stats';
import type { SubmissionDetail } from './types/SubmissionDetail';
import type { SubmissionRow } from './types/SubmissionRow';
import type { TotpOffer } from './types/TotpOffer';
import type { WorkerRow } from './types/WorkerRow';

/** The admin's routes, each once. */

export const session = {
  get: () => request<SessionView>('GET', '/admin/session'),
  open: (body: LoginRequest) => request<void>('POST', '/admin/session', body),
  close: () => request<void>('DELETE', '/admin/session'),
  logins: () => request<Page<LoginView>>('GET', '/admin/session/logins'),
  closeOne: (id: string) => request<void>('DELETE', `/admin/session/logins/${encodeURIComponent(id)}`),
  closeOthers: () => request<void>('DELETE', '/admin/session/others'),
  prove: (body: ProofRequest) => request<void>('POST', PROOF_PATH, body),
};

export const secondFactor = {
  offer: () => request<TotpOffer>('POST', '/admin/session/totp'),
  confirm: (totp: string) => request<RecoveryCodes>('POST', '/admin/session/totp/confirm', { totp }),
  remove: () => request<void>('DELETE', '/admin/session/totp'),
};

export const people = {
  list: (cursor: string | null) => request<Page<AdminRow>>('GET', `/admin/admins${query({ cursor })}`),
  remove: (id: string) => request<void>('DELETE', `/admin/admins/${encodeURIComponent(id)}`),
  removeSecondFactor: (id: string) => request<void>('DELETE', `/admin/admins/${encodeURIComponent(id)}/totp`),
};

export const workers = (cursor: string | null) => request<Page<WorkerRow>>('GET', `/admin/workers${query({ cursor })}`);

export const erasures = {
  list: (cursor: string | null) => request<Page<ErasureView>>('GET', `/admin/erasures${query({ cursor })}`),
  ask: (body: ErasureRequest) => request<ErasureView>('POST', '/admin/erasures', body),
  finish: (id: string) => request<ErasureView>('POST', `/admin/erasures/${encodeURIComponent(id)}/finish`),
};

export const stats = () => request<Stats>('GET', '/admin/stats');

export const audit = (cursor: string | null) => request<Page<AuditRow>>('GET', `/admin/audit${query({ cursor })}`);

const at = (id: string) => `/admin/submissions/${encodeURIComponent(id)}`;

export const submissions = {
  list: (stage: string | null, cursor: string | null) =>
    request<Page<SubmissionRow>>('GET', `/admin/submissions${query({ stage, cursor })}`),
  get: (id: string) => request<SubmissionDetail>('GET', at(id)),
  lock: (id: string) => request<Lock>('POST', `${at(id)}/lock`),
  redact: (id: string, body: RedactRequest) => request<RedactionView>('POST', `${at(id)}/redact`, body),
  review: (id: string, body: ReviewRequest) => request<Reviewed>('POST', `${at(id)}/review`, body),
};

export const payouts = (cursor: string | null) =>
  request<Page<PayoutView>>('GET', `/admin/payouts${query({ cursor })}`);

export const campaigns = (cursor: string | null) =>
  request<Page<CampaignView>>('GET', `/admin/campaigns${query({ cursor })}`);

export const jobs = {
  list: (stage: JobStage | null, cursor: string | null) =>
    request<Page<JobRow>>('GET', `/admin/jobs${query({ stage, cursor })}`),
  retry: (id: string) => request<void>('POST', `/admin/jobs/${encodeURIComponent(id)}/retry`),
  drain: (body: DrainRequest) => request<Drained>('POST', '/admin/jobs/drain', body),
};

export const invites = {
  list: (cursor: string | null) => request<Page<InviteView>>('GET', `/admin/invites${query({ cursor })}`),
  create: (body: InviteRequest) => request<InvitesMade>('POST', '/admin/invites', body),
};
