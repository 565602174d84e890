/** The addresses that an HTTP back end may have: the operator chooses the name, but DNS chooses the address. */
import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { isAllowed, isLoopbackAddress } from '../base/index.ts'

export type Resolve = (
  host: string,
  options: LookupOptions & { all: true },
  done: (error: Error | null, addresses: LookupAddress[]) => void,
) => void

/** The name leads to this machine or to a private network, and no setting allows that. */
class AddressRefused extends Error {
  readonly code = 'ADDRESS_REFUSED'
  constructor(host: string) {
    super(`${host} resolves to a private address: configure the address itself, or set privateNetwork`)
    this.name = 'AddressRefused'
  }
}

/**
 * The lookup for connections to `host`. A literal address is never looked up: the operator configured it. `localhost`
 * may be loopback. Any other name must have a public address, or with `privateNetwork` a private one.
 */
export function guardedLookup(host: string, privateNetwork: boolean, resolve: Resolve = systemLookup): LookupFunction {
  const isLocal = host === 'localhost' || host.endsWith('.localhost')
  return (name, options, done) => {
    resolve(name, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, '', 0)
      const good = addresses.filter(({ address }) =>
        isLocal ? isLoopbackAddress(address) : isAllowed(address, privateNetwork),
      )
      const [first] = good
      if (!first) return done(new AddressRefused(host), '', 0)
      if (options.all) return done(null, good)
      done(null, first.address, first.family)
    })
  }
}
