/** What an operator watches: the history of lines and of flows, alarms, silences and the ends of certificates. */
export { createAlarmBook } from './alarm-book.ts'
export { type AlarmCondition, type AlarmRow, type Alarms, createAlarms } from './alarms.ts'
export { type CertificateFile, type Certificates, createCertificates } from './certificates.ts'
export { createFlowEvents, type FlowEventRow, type FlowEvents } from './flow-events.ts'
export { createLineEvents, type LineEventRow, type LineEvents } from './line-events.ts'
export { rangeOf, type RangeAsked } from './ranges.ts'
export { createWaitingRows } from './waiting-rows.ts'
export { createSilences, type SilenceRow, type Silences } from './silences.ts'
