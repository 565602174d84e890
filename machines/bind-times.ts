/** The times of a bind: defaults, and why they are what they are. `timers` of a line's settings has the same names. */

export interface BindTimes {
  connectMs: number
  bindMs: number
  enquireMs: number
  enquireRespMs: number
  missesMax: number
  reconnectMs: number
  reconnectMaxMs: number
  bindFailMaxMs: number
  servedMaxMs: number
  steadyMs: number
  refusedMs: number
  refusedMaxMs: number
  takenMs: number
  takenForMs: number
  standbyMs: number
  unboundMs: number
  unbindMs: number
}

/** Every default with its reason. */
export const BIND_TIMES: BindTimes = {
  connectMs: 5_000, // the system takes minutes to give up a black-holed connect
  bindMs: 10_000, // session_init_timer (SMPP v3.4 §7.2); an SMSC that is up answers at once
  enquireMs: 30_000, // of read silence; most SMSCs drop a bind after 60 s without traffic
  enquireRespMs: 10_000, // longer than any queue in a live SMSC
  missesMax: 2, // one lost answer is an accident; two are a dead link
  reconnectMs: 1_000,
  reconnectMaxMs: 30_000, // a subscriber who redials should find us after an outage
  bindFailMaxMs: 60_000, // ESME_RBINDFAIL: an SMSC that starts says so for minutes, one that does not know us for ever
  servedMaxMs: 5_000, // between the loss of a bind that had served and the next try: its subscribers are dialling now
  steadyMs: 10_000, // a bind this old was good: its loss begins the retries anew
  refusedMs: 60_000, // wrong credentials: accounts get locked by quick retries
  refusedMaxMs: 900_000,
  takenMs: 2_000, // already bound: our own old connection, which the SMSC will notice soon
  takenForMs: 120_000, // ... and if not by now, another daemon holds the bind
  standbyMs: 30_000, // take over from that daemon within half a minute
  unboundMs: 5_000, // the SMSC asked us to go: do not come back at once
  unbindMs: 5_000, // for unbind_resp
}
