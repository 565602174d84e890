/** Addresses that HTTP requests may reach: what a name may resolve to, and what the settings may contain. */
import { BlockList, isIP } from 'node:net'

type Net = readonly [net: string, bits: number]

function listOf(v4: readonly Net[], v6: readonly Net[]): BlockList {
  const list = new BlockList()
  for (const [net, bits] of v4) list.addSubnet(net, bits, 'ipv4')
  for (const [net, bits] of v6) list.addSubnet(net, bits, 'ipv6')
  return list
}

const loopback = listOf([['127.0.0.0', 8]], [['::1', 128]])

/** Private (RFC 1918), shared (RFC 6598), and unique local (RFC 4193). */
const inside = listOf(
  [
    ['10.0.0.0', 8],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
    ['100.64.0.0', 10],
  ],
  [['fc00::', 7]],
)

/**
 * Never a back end: this host, link local, protocol and test nets, relays, multicast, reserved (RFC 6890), and the
 * metadata addresses of clouds.
 */
const never = listOf(
  [
    ['0.0.0.0', 8],
    ['169.254.0.0', 16],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.88.99.0', 24],
    ['198.18.0.0', 15],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    ['224.0.0.0', 4],
    ['240.0.0.0', 4],
    ['100.100.100.200', 32],
    ['168.63.129.16', 32],
  ],
  [
    ['2001::', 23],
    ['2001:db8::', 32],
    ['2002::', 16],
    ['3fff::', 20],
    ['fd00:ec2::254', 128],
  ],
)

/** Any other IPv6 address that is not unique local is local, reserved, or a form of an IPv4 address. (RFC 4291 §2.4) */
const global6 = listOf([], [['2000::', 3]])

/** Also in IPv6 form (::ffff:127.0.0.1): sockets that listen for both report it like that. */
export function isLoopbackAddress(address: string): boolean {
  return isIP(address) !== 0 && isIn(loopback, address)
}

/** Whether a server that listens there serves only this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || isLoopbackAddress(host)
}

/** Whether a name may resolve to this address. */
export function isAllowed(address: string, privateNetwork: boolean): boolean {
  return isPublic(address) || (privateNetwork && isIP(address) !== 0 && isIn(inside, address) && !isIn(never, address))
}

function isPublic(address: string): boolean {
  if (!isIP(address) || isIn(never, address) || isIn(loopback, address) || isIn(inside, address)) return false
  return isIP(address) === 4 || isIn(global6, address)
}

function isIn(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/**
 * What is wrong with a written HTTP address, or undefined. It must lead where it says: no credentials, no octal,
 * hexadecimal or short forms, nothing that URL parsers read in different ways.
 */
export function urlFault(written: string): string | undefined {
  const authority = /^https?:\/\/([^/?#]*)/i.exec(written)?.[1]
  if (authority === undefined || !URL.canParse(written)) return 'is not an http or https address'
  if (/[\s\\%\p{Cc}]/u.test(authority) || /[\s\p{Cc}]/u.test(written))
    return 'has a space, a backslash or an escape in the wrong place'
  if (authority.includes('@')) return 'has a name or password before @: use tokenFile'
  if (written.includes('#')) return 'has a fragment (#), but fragments are never sent'
  const host = authority.replace(/:\d*$/, '').toLowerCase()
  const { hostname } = new URL(written)
  if (hostname.startsWith('[')) return literalFault(hostname.slice(1, -1))
  if (host !== hostname) return `is read as '${hostname}': write it like that, if you mean it`
  return isIP(hostname) ? literalFault(hostname) : undefined
}

/** A configured literal address is allowed, except those that no back end can have. */
function literalFault(address: string): string | undefined {
  const isGood = /^(::1|\d+(\.\d+){3})$/.test(address) && isIn(loopback, address)
  return isGood || isAllowed(address, true) ? undefined : `leads to ${address}, but no back end can have that address`
}
