import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { createLog, maskMsisdn } from '../../../src/base/log/log.ts'

function logged(
  run: (log: ReturnType<typeof createLog>) => void,
  services: { code: string }[] = [],
): Record<string, unknown>[] {
  const lines: string[] = []
  const destination = new Writable({ write: (chunk, _, done) => (lines.push(String(chunk)), done()) })
  run(createLog({ level: 'debug', key: Buffer.from('key'), services, destination: destination as never }))
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

  it('says of a dialled code what the service has of it, wherever it stands', () => {
    const lines = logged(
      (log) => {
        log.info({ code: '*150*1234#' }, 'dialled *150*1234#')
        log.error({ err: new Error('*777*1234# has no service') }, 'failed')
        log.info({ code: '*384*1*1234#', service: '*384*1#' }, 'deeper')
      },
      [{ code: '*150#' }, { code: '*384*1#' }],
    )
    const said = lines.map((line) => ({ ...line, pid: 0 }))
    assert.doesNotMatch(JSON.stringify(said), /1234/)
    assert.deepEqual(
      [lines[0]!.code, lines[0]!.msg, (lines[1]!.err as Error).message],
      ['*150*#', 'dialled *150*#', '*777*# has no service'],
    )
    assert.deepEqual([lines[2]!.code, lines[2]!.service], ['*384*1*#', '*384*1#'])
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
