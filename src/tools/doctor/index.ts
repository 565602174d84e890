/** Examines the link to an SMSC and writes an acceptance sheet. */
export { EXAM_TIMES, type ExamPlan, type ExamTimes } from './exam.ts'
export { examine, smsCount } from './examine.ts'
export type { Finding } from './finding.ts'
export { sheetHtml } from './sheet-html.ts'
export { type AcceptanceSheet, countsText, findingText, sheetOf } from './sheet.ts'
