/**
 * Refusals of one of our HTTP servers: each is counted, and logged. If one caller is refused for one reason again and
 * again, most of those are only counted: nobody can fill the log from outside.
 */
import { createLockout } from './lockout.ts'
import { callerOf } from './networks.ts'

export interface HttpRefusal {
  /** A word of ours: it is a label of the metric. */
  why: string
  address: string
  method: string
  /** Whose token it was, if that is known. */
  who?: string
}

export interface HttpRefusalPorts {
  count(why: string): void
  tell(refusal: HttpRefusal): void
  now(): number
}

export function createRefusals({ count, tell, now }: HttpRefusalPorts): (refusal: HttpRefusal) => void {
  const lockout = createLockout()
  return (refusal) => {
    count(refusal.why)
    const key = `${refusal.why} ${refusal.who ?? ''} ${callerOf(refusal.address)}`
    if (lockout.fail(key, now()) === 'told') tell(refusal)
  }
}
