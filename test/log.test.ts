import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { createLog, maskMsisdn } from '../src/log.ts'

function logged(run: (log: ReturnType<typeof createLog>) => void): Record<string, unknown>[] {
  const lines: string[] = []
  const destination = new Writable({ write: (chunk, _, done) => (lines.push(String(chunk)), done()) })
  run(createLog({ level: 'debug', key: Buffer.from('key'), destination: destination as never }))
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

describe('the log', () => {
  it('masks a number and gives a hash to follow it by', () => {
    const [first, second] = logged((log) => {
      log.info({ msisdn: '67570000001' }, 'one')
      log.info({ msisdn: '67570000001', epoch: '01a20e41-6ff7-70be-8292-123456789012' }, 'two')
    })
    assert.equal(first!.msisdn, '675******01')
    assert.equal(first!.subscriber, second!.subscriber)
    assert.equal(second!.epoch, '01a20e41-6ff7-70be-8292-123456789012')
  })

  it('finds numbers wherever they stand: deep, in lists, in texts, in errors, in the message', () => {
    const lines = logged((log) => {
      log.info({ a: { b: [{ msisdn: '67570000001' }, 'call +67570000001 now'] } }, 'to 67570000001')
      log.error({ err: new Error('no route to 67570000001') }, 'failed')
      log.info({ pdu: { source_addr: '67570000001', octets: Buffer.from('67570000001') } }, 'pdu')
    })
    assert.doesNotMatch(JSON.stringify(lines), /67570000001/)
    assert.equal((lines[1]!.err as { message: string }).message, 'no route to 675******01')
  })

  it('keeps a line a line, whatever a subscriber sends', () => {
    const [line] = logged((log) => log.info({ text: 'a\r\n{"level":"fatal"}\u001b[2J' }, 'x\ny'))
    assert.equal(line!.msg, 'x\ny')
    assert.equal(line!.text, 'a\r\n{"level":"fatal"}\u001b[2J')
  })

  it('shows no more than two digits behind the country', () => {
    assert.equal(maskMsisdn('67570000001'), '675******01')
    assert.equal(maskMsisdn('123'), '***')
  })
})
