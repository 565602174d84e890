/** Logs of hex as tools and people write them: dumps of several lines, several PDUs a line, one PDU over several. */
import assert from 'node:assert/strict'
import { readHexLog } from '../../../src/tools/capture/hex-log.ts'
import { seededChance } from '../../../src/simulator/smsc/chaos.ts'
import { loadProfile } from '../../../src/smpp/dialect/load.ts'
import { speak } from '../infer/spoken.ts'

const { pdus } = speak(
  loadProfile('standard', new URL('../../../dialects', import.meta.url).pathname),
  seededChance(3),
)!
const all = pdus.map(({ octets, from }) => ({ octets, from, hex: octets.toString('hex') }))
const hexes = all.map((it) => it.hex)

/** `octets` in rows of 16, each written by `row`. */
function rows(octets: Buffer, row: (offset: string, pairs: string[], ascii: string) => string, from = 0): string {
  let out = ''
  for (let at = 0; at < octets.length; at += 16) {
    const part = octets.subarray(at, at + 16)
    const ascii = part.toString('latin1').replace(/[^ -~]/g, '.')
    out += `${row((from + at).toString(16).padStart(8, '0'), part.toString('hex').match(/../g) ?? [], ascii)}\n`
  }
  return out
}

const xxd = (octets: Buffer) =>
  rows(octets, (offset, pairs, ascii) => {
    const words = pairs
      .join('')
      .match(/.{1,4}/g)!
      .join(' ')
    return `${offset}: ${words.padEnd(39)}  ${ascii}`
  })
const hexdump = (octets: Buffer) =>
  rows(
    octets,
    (offset, pairs, ascii) =>
      `${offset}  ${`${pairs.slice(0, 8).join(' ')}  ${pairs.slice(8).join(' ')}`.padEnd(48)}  |${ascii}|`,
  ) + `${octets.length.toString(16).padStart(8, '0')}\n`
/** Each direction counts its own octets; one of them is set in. */
function follow(): string {
  const at = { smsc: 0, esme: 0 }
  return all
    .map(({ octets, from }) => {
      const text = rows(
        octets,
        (offset, pairs, ascii) =>
          `${from === 'smsc' ? '\t' : ''}${offset}  ${`${pairs.slice(0, 8).join(' ')}  ${pairs.slice(8).join(' ')}`.padEnd(48)}  ${ascii}`,
        at[from],
      )
      at[from] += octets.length
      return text
    })
    .join('')
}
const plainDump = (octets: Buffer) => octets.toString('hex').replace(/.{60}/g, '$&\n')
const each = (write: (one: (typeof all)[number]) => string) => all.map(write).join('\n')

describe('a log of hex', () => {
  const layouts: [string, string][] = [
    ['xxd', each(({ octets }) => xxd(octets))],
    ['hexdump -C', each(({ octets }) => hexdump(octets))],
    ['xxd of all PDUs in one file', xxd(Buffer.concat(all.map((it) => it.octets)))],
    ['xxd -p, one PDU after the other', each(({ octets }) => plainDump(octets))],
    ['xxd -p of all PDUs in one file', plainDump(Buffer.concat(all.map((it) => it.octets)))],
    ['Wireshark, follow stream as hex dump', follow()],
    ['several PDUs a line', hexes.join('')],
    ['seconds since 1970 before the octets', each(({ hex }) => `1700000000 ${hex}`)],
    ['milliseconds since 1970 before the octets', each(({ hex }) => `1700000000123 ${hex}`)],
    ['hyphens', each(({ hex }) => hex.match(/../g)!.join('-').toUpperCase())],
    [
      '0x and commas',
      each(({ hex }) =>
        hex
          .match(/../g)!
          .map((it) => `0x${it}`)
          .join(', '),
      ),
    ],
    ['escapes of a string', each(({ hex }) => `b'${hex.replace(/../g, '\\x$&')}'`)],
    ['a column after the octets', each(({ hex }) => `7,"${hex}",42`)],
  ]
  for (const [name, text] of layouts) {
    it(`may be ${name}`, () => {
      const { frames, bad } = readHexLog(text)
      assert.deepEqual(
        frames.map((it) => it.octets.toString('hex')),
        hexes,
      )
      assert.deepEqual(bad, [])
    })
  }

  it('has time and direction in the line before a dump', () => {
    const log = all.map(
      ({ octets, from }, i) =>
        `2025-05-01T09:00:${10 + i}Z ${from === 'smsc' ? 'received' : 'sent'} ${octets.length} bytes\n${hexdump(octets)}`,
    )
    const { frames } = readHexLog(log.join(''))
    assert.deepEqual(
      frames.map((it) => it.from),
      all.map((it) => it.from),
    )
    assert.deepEqual(
      frames.map((it) => it.atMs),
      all.map((_, i) => Date.parse(`2025-05-01T09:00:${10 + i}Z`)),
    )
  })

  it('goes on after a PDU whose end is missing', () => {
    const [first, , second, third] = all as [(typeof all)[0], unknown, (typeof all)[0], (typeof all)[0]]
    for (const text of [
      `${first.hex}\n${second.hex.slice(0, 40)}\n${third.hex}`,
      xxd(first.octets) + xxd(second.octets.subarray(0, 20)) + xxd(third.octets),
    ]) {
      const { frames, bad } = readHexLog(text)
      assert.deepEqual(
        frames.map((it) => it.octets.toString('hex')),
        [first.hex, third.hex],
      )
      assert.equal(bad.length, 1)
    }
  })
})
