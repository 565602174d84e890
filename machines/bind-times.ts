/** The times of a bind: defaults with their reasons. `timers` in a line's settings has the same names. */

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
  connectMs: 5_000, // the system takes minutes to give up a connect without an answer
  bindMs: 10_000, // session_init_timer (SMPP v3.4 §7.2); an SMSC that is up answers at once
  enquireMs: 10_000, // of read silence: with two misses, a half-open link is found within 18 s
  enquireRespMs: 4_000, // two of these are longer than the queue of a live SMSC
  missesMax: 2, // one lost answer is an accident; two are a dead link
  reconnectMs: 1_000,
  reconnectMaxMs: 10_000, // a subscriber who redials should find us after an outage; Kannel waits as long
  bindFailMaxMs: 60_000, // ESME_RBINDFAIL: a starting SMSC sends it for minutes, one that does not know us for ever
  servedMaxMs: 5_000, // from the loss of a bind that had served to the next try: its subscribers are dialling now
  steadyMs: 10_000, // a bind this old was good: after its loss the retries start again from the first
  refusedMs: 60_000, // wrong credentials: accounts get locked by quick retries
  refusedMaxMs: 900_000,
  takenMs: 2_000, // already bound: by our own old connection, whose end the SMSC will notice soon
  takenForMs: 120_000, // ... and if it has not by now, another daemon holds the bind
  standbyMs: 30_000, // take over from that daemon within half a minute
  unboundMs: 5_000, // the SMSC asked us to leave: do not come back at once
  unbindMs: 5_000, // for unbind_resp
}
