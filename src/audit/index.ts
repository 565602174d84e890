/** The audit in Postgres: who did what, in chains that show when a row was changed or taken out. */
export { createAudit, type Audit } from './audit.ts'
export { auditRowOf, type AuditRow, type ChainVerdict } from './chain.ts'
export { appendAudit, auditSince, auditWithin, purgeAudit } from './rows.ts'
export { verifyAudit } from './verify.ts'
