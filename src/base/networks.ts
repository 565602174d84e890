/** Networks of callers: `192.0.2.0/24`, `2001:db8::/32`, or one address. */
import { BlockList, isIP } from 'node:net'

const WRITTEN = /^([\d.]{7,15}|[\da-f:]{2,39})(?:\/(\d{1,3}))?$/i

interface Network {
  address: string
  bits: number
  family: 'ipv4' | 'ipv6'
}

/** Undefined: it is not the name of a network. */
function readNetwork(written: string): Network | undefined {
  const [, address = '', bits] = WRITTEN.exec(written) ?? []
  const version = isIP(address)
  if (!version) return undefined
  const most = version === 4 ? 32 : 128
  const length = bits === undefined ? most : Number(bits)
  return length > most ? undefined : { address, bits: length, family: version === 4 ? 'ipv4' : 'ipv6' }
}

export function isNetwork(written: string): boolean {
  return readNetwork(written) !== undefined
}

export type Networks = (address: string) => boolean

/** Whether an address is in one of these networks. An IPv4 address may be written as IPv6 (`::ffff:192.0.2.1`). */
export function networksOf(written: readonly string[]): Networks {
  const list = new BlockList()
  for (const one of written) {
    const network = readNetwork(one)
    if (network) list.addSubnet(network.address, network.bits, network.family)
  }
  return (address) => {
    const plain = plainAddress(address)
    const version = isIP(plain)
    return version !== 0 && list.check(plain, version === 4 ? 'ipv4' : 'ipv6')
  }
}

/** An IPv4 address in its own form. */
function plainAddress(address: string): string {
  return /^::ffff:[\d.]+$/i.test(address) ? address.slice('::ffff:'.length) : address
}

/** IPv6 hands whole /64 networks to single machines, so that is one caller. */
const IPV6_CALLER_BITS = 64

/** Who counts as one caller: an IPv4 address, or the /64 network of an IPv6 address. */
export function callerOf(address: string): string {
  const plain = plainAddress(address)
  if (isIP(plain) !== 6) return plain
  const [head = '', tail] = plain.split('%')[0]!.split('::')
  const groups = (text: string | undefined) => (text ? text.split(':') : [])
  const [left, right] = [groups(head), groups(tail)]
  const missing = tail === undefined ? 0 : 8 - left.length - right.length
  const all = [...left, ...Array<string>(Math.max(0, missing)).fill('0'), ...right]
  const network = all.slice(0, IPV6_CALLER_BITS / 16).map((group) => Number.parseInt(group, 16).toString(16))
  return `${network.join(':')}::/${IPV6_CALLER_BITS}`
}

const FORWARDED_MAX = 10

/**
 * The address of a caller behind proxies of ours: the last one in X-Forwarded-For that is not a proxy's. What stands
 * before it was written by the caller.
 */
export function addressBehind(peer: string, forwarded: string | undefined, isProxy: Networks): string {
  if (forwarded === undefined || !isProxy(peer)) return plainAddress(peer)
  let last = peer
  for (const hop of forwarded.split(',').slice(-FORWARDED_MAX).toReversed()) {
    const address = hop.trim()
    if (isIP(plainAddress(address)) === 0) return plainAddress(last)
    last = address
    if (!isProxy(address)) break
  }
  return plainAddress(last)
}
