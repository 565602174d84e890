/** Which addresses an HTTP back end may be reached at: the name is the operator's, but who answers for it is DNS. */
import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

export type Resolve = (
  host: string, options: LookupOptions & { all: true }, done: (error: Error | null, addresses: LookupAddress[]) => void,
) => void

/** Asked for a name that leads into this machine or a private network, without a setting that says so. */
export class AddressRefused extends Error {
  readonly code = 'ADDRESS_REFUSED'
  constructor(host: string) {
    super(`${host} resolves to a private address: configure the address itself, or set privateNetwork`)
    this.name = 'AddressRefused'
  }
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

// Private, shared (RFC 6598), and unique local (RFC 4193).
const inside = new BlockList()
for (const [net, bits] of [['10.0.0.0', 8], ['172.16.0.0', 12], ['192.168.0.0', 16], ['100.64.0.0', 10]] as const) {
  inside.addSubnet(net, bits, 'ipv4')
}
inside.addSubnet('fc00::', 7, 'ipv6')

// Never a back end behind a name: this host, link local (cloud metadata), protocol and test nets, multicast, reserved;
// in IPv6 also what embeds an IPv4 address.
const never = new BlockList()
const NEVER_V4 = [
  ['0.0.0.0', 8], ['169.254.0.0', 16], ['192.0.0.0', 24], ['192.0.2.0', 24], ['198.18.0.0', 15], ['198.51.100.0', 24],
  ['203.0.113.0', 24], ['224.0.0.0', 4], ['240.0.0.0', 4],
] as const
for (const [net, bits] of NEVER_V4) never.addSubnet(net, bits, 'ipv4')
for (const [net, bits] of [['::', 128], ['64:ff9b::', 96], ['2002::', 16], ['fe80::', 10], ['ff00::', 8]] as const) {
  never.addSubnet(net, bits, 'ipv6')
}

/**
 * The lookup for connections to `host`. A literal address is never looked up: it was configured as it stands.
 * `localhost` may be loopback; any other name only a public address, or with `privateNetwork` a private one.
 */
export function guardedLookup(host: string, privateNetwork: boolean, resolve: Resolve = systemLookup): LookupFunction {
  const isLocal = host === 'localhost' || host.endsWith('.localhost')
  return (name, options, done) => {
    resolve(name, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, '', 0)
      const good = addresses.filter(({ address }) =>
        isLocal ? isIn(loopback, address) : isAllowed(address, privateNetwork))
      const [first] = good
      if (!first) return done(new AddressRefused(host), '', 0)
      if (options.all) return done(null, good)
      done(null, first.address, first.family)
    })
  }
}

/** Whether a name may lead there. */
export function isAllowed(address: string, privateNetwork: boolean): boolean {
  if (!isIP(address) || isIn(never, address) || isIn(loopback, address)) return false
  return privateNetwork || !isIn(inside, address)
}

function isIn(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}
