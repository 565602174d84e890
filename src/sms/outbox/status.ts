/** What a refused SMS means, status by status: one table, which a line's settings may change. */
import { STATUS } from '../../smpp/pdu/index.ts'

/**
 * retry: passes by itself · pause: so, and the line shall rest for it · destination: only this subscriber's queue is
 * full · fail: the same SMS will be refused always.
 */
export type StatusClass = 'retry' | 'pause' | 'destination' | 'fail'

/** Statuses by number in decimal; a setting names them `0x58` or `88`. */
export type StatusClasses = ReadonlyMap<number, StatusClass>

/**
 * What is not here fails. 0x102 is ESME_RSERVICEOUT of v5.0; 0x04 says that the bind is gone. The three vague ones, and
 * vendors' own (0x400 to 0x4FF), are as often passing as not. (SMPP v3.4 §5.1.3)
 */
export const STATUS_CLASSES: StatusClasses = new Map<number, StatusClass>([
  [STATUS.ESME_RSYSERR, 'retry'],
  [STATUS.ESME_RX_T_APPN, 'retry'],
  [0x102, 'retry'],
  [STATUS.ESME_RTHROTTLED, 'pause'],
  [STATUS.ESME_RMSGQFUL, 'destination'],
  [STATUS.ESME_RINVBNDSTS, 'retry'],
  [STATUS.ESME_RSUBMITFAIL, 'retry'],
  [STATUS.ESME_RDELIVERYFAILURE, 'retry'],
  [STATUS.ESME_RUNKNOWNERR, 'retry'],
])

/** The class of a status on a line whose settings say `own`. Pure. */
export function statusClass(status: number, own: StatusClasses): StatusClass {
  const isVendors = status >= 0x400 && status <= 0x4ff
  return own.get(status) ?? STATUS_CLASSES.get(status) ?? (isVendors ? 'retry' : 'fail')
}

/** The settings' own classes: `{ "0x45": fail }`. The schema has seen to the form. */
export function ownClasses(written: Readonly<Record<string, StatusClass>>): StatusClasses {
  return new Map(Object.entries(written).map(([status, is]) => [Number(status), is]))
}
