/** docs/security/limits.md: its figures are those of the code, and limits without a test of their own are held here. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import type { Registry } from 'prom-client'
import { startAdmin, type AdminDeps } from '../../src/admin/server.ts'
import { silentLog } from '../../src/base/log/port.ts'
import { compilePattern } from '../../src/flow/expression/pattern.ts'
import { readYaml } from '../../src/flow/language/source.ts'
import { readReceipt } from '../../src/sms/pdu/receipt.ts'
import { readSmsPart } from '../../src/sms/pdu/segments-join.ts'
import { regexFault } from '../../src/smpp/dialect/regex.ts'
import { decode, encode } from '../../src/smpp/pdu/codec.ts'
import { parseStoreKeys, writeStoreKeys } from '../../src/store/key-file.ts'
import { readCode } from '../../src/ussd/service-code.ts'
import { pduOf, vector } from '../smpp/dialect/support.ts'
import { root } from './tree.ts'

const page = readFileSync(join(root, 'docs/security/limits.md'), 'utf8')
const rows = [...page.matchAll(/^\| (.+) \| (.+) \| (.+) \| .+ \| (.+) \|$/gm)]
  .map(([, field, most, where, test]) => ({ field: field!, most: most!, where: where!, test: test! }))
  .filter(({ field }) => field !== 'field')

/** What a constant of the sources is. */
function valueOf(name: string, file: string): number {
  const source = readFileSync(join(root, file), 'utf8')
  const written = new RegExp(`const ${name} = ([\\d_ *<]+)$`, 'm').exec(source)?.[1]
  assert.ok(written, `${file} has no ${name}`)
  return written
    .replaceAll('_', '')
    .split('*')
    .reduce((product, factor) => product * Number(factor), 1)
}

describe('the page of limits', () => {
  it('gives the figures of the code', () => {
    assert.ok(rows.length > 30)
    for (const { field, most, where } of rows) {
      const [, name, file] = /`(\w+)` in `(src\/[\w./-]+)`/.exec(where) ?? []
      if (name === undefined || file === undefined) continue
      assert.equal(Number(/^[\d,]+/.exec(most)![0].replaceAll(',', '')), valueOf(name, file), field)
    }
  })

  it('names a test for each, or a goal', () => {
    for (const { field, test } of rows) {
      const file = /^`(test\/[\w./-]+\.ts)`$/.exec(test)?.[1]
      assert.ok(file ? existsSync(join(root, file)) : /^R\d+$/.test(test), `${field}: ${test}`)
    }
  })
})

describe('the limits that have no test elsewhere', () => {
  const tlvs = (many: number) => Array.from({ length: many }, (_, n) => ({ tag: 0x1400 + n, value: Buffer.from([1]) }))

  it('optional parameters of a PDU', () => {
    const short = { command: 'submit_sm', body: { short_message: Buffer.from('x') } }
    const coded = encode({ ...short, tlvs: tlvs(64) })
    assert.ok('octets' in coded)
    assert.equal(decode(coded.octets).fault, undefined)
    assert.match(JSON.stringify(encode({ ...short, tlvs: tlvs(65) })), /more than 64 optional parameters/)
    const more = Buffer.concat([coded.octets, Buffer.from('150000010a', 'hex')])
    more.writeUInt32BE(more.length)
    assert.equal(decode(more).fault?.why, 'too-many-tlvs')
  })

  it('a dialled code', () => {
    const code = (length: number) => `*${'1'.repeat(length - 2)}#`
    assert.ok(readCode(code(182)))
    assert.equal(readCode(code(183)), null)
  })

  it('the text of an SMS, and the id in a receipt', () => {
    const pdu = pduOf(vector('m13'))
    const body = { ...pdu.body, short_message: Buffer.from('x'.repeat(5_000)), data_coding: 0x03, esm_class: 0 }
    assert.equal(readSmsPart({ ...pdu, body, tlvs: [] }).text.length, 4_096)
    const receipt = pduOf(vector('r02'))
    const text = Buffer.from(`id:${'7'.repeat(100)} stat:DELIVRD`)
    const read = readReceipt({ ...receipt, body: { ...receipt.body, short_message: text } }, 'a')
    assert.equal(read?.messageId, '7'.repeat(64))
  })

  it('patterns and regular expressions', () => {
    assert.notEqual(typeof compilePattern('a'.repeat(200)), 'string')
    assert.match(String(compilePattern('a'.repeat(201))), /longer than 200 characters/)
    assert.equal(regexFault('a'.repeat(100)), null)
    assert.match(regexFault('a'.repeat(101)) ?? '', /longer than 100 characters/)
  })

  it('a flow file', () => {
    const file = (length: number) => `# ${'x'.repeat(length - 3)}\n`
    assert.deepEqual(
      readYaml('f.yaml', file(1_000_000)).problems.filter(({ what }) => what.includes('longer')),
      [],
    )
    assert.match(readYaml('f.yaml', file(1_000_001)).problems[0]!.what, /longer than 1000000 characters/)
  })

  it('keys of the store', () => {
    const all = writeStoreKeys(randomBytes)
    const line = (n: number) => `k${n}: ${randomBytes(32).toString('base64')}\n`
    const keys = (many: number) => all + Array.from({ length: many - 1 }, (_, n) => line(n)).join('')
    assert.equal(parseStoreKeys('keys', keys(8)).keys.length, 8)
    assert.throws(() => parseStoreKeys('keys', keys(9)), /has over 8 keys/)
  })

  it('the head of a request to the admin server', async () => {
    const deps: Partial<AdminDeps> = {
      host: '127.0.0.1',
      port: 0,
      registry: {} as Registry,
      service: {} as AdminDeps['service'],
      flows: {} as AdminDeps['flows'],
      tokens: [],
      now: () => 0,
      counters: { count: () => undefined },
      log: silentLog,
    }
    const admin = await startAdmin(deps as AdminDeps)
    const status = (octets: number) =>
      new Promise<number>((done, fail) => {
        request(
          { port: admin.port, path: '/live', headers: { connection: 'close', x: 'x'.repeat(octets) } },
          (answer) => done(answer.resume().statusCode!),
        )
          .on('error', fail)
          .end()
      })
    try {
      assert.deepEqual([await status(7_000), await status(8_200)], [200, 431])
    } finally {
      await admin.stop()
    }
  })
})
