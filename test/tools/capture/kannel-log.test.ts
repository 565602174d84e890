/** The debug log of a real Kannel 1.4.5 (kannel-debug.txt), and what it writes besides. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { capturedFrames } from '../../../src/tools/capture/captured.ts'
import { isKannelLog, readKannelLog } from '../../../src/tools/capture/kannel-log.ts'
import { readPdus } from '../../../src/tools/capture/capture.ts'

const PATH = new URL('../infer/kannel-debug.txt', import.meta.url).pathname
const text = readFileSync(PATH, 'utf8')
const hexOf = (log: string) => readKannelLog(log).frames.map((it) => `${it.from} ${it.octets.toString('hex')}`)

describe('a debug log of Kannel', () => {
  it('is the PDUs that it dumps, with their times and sides', () => {
    assert.equal(isKannelLog(text), true)
    assert.deepEqual(hexOf(text), [
      'smsc 0000004300000005000000000000000155535344000101363735373030303030303100010131323300000000000000000f00052a313233231383000207000501000101',
      'esme 0000001180000005000000000000000100',
      'esme 0000003d0000000400000000000000020001013132330001013637353730303030303031000300000000000000000e57656c636f6d650a312e20596573',
      'smsc 000000158000000400000000000000023130303000',
    ])
    const { pdus, remarks } = readPdus(PATH)
    assert.deepEqual(
      [pdus.map((it) => it.pdu.command), remarks],
      [['deliver_sm', 'deliver_sm_resp', 'submit_sm', 'submit_sm_resp'], []],
    )
    assert.equal(new Date(pdus[0]!.atMs).getSeconds(), 22)
  })

  it('may be of several binds, whose threads write between each other', () => {
    const own = text.trimEnd().split('\n')
    const other = own.map((line) => line.replace('[6]', '[9]'))
    const mixed = own.flatMap((line, i) => [line, other[i]!]).join('\n')
    assert.deepEqual(hexOf(mixed).toSorted(), [...hexOf(text), ...hexOf(text)].toSorted())
    assert.equal(new Set(capturedFrames(readKannelLog(mixed).frames).pdus.map((it) => it.link)).size, 2)
  })

  it('has octets over several lines, numbers and words in parameters, and names that only its configuration knows', () => {
    const line = (said: string) => `2026-11-26 19:42:22 [7] [6] DEBUG: ${said}`
    const log = [
      'SMPP[x]: Got PDU:',
      'SMPP PDU 0x1 dump:',
      '  type_name: data_sm',
      '  command_id: 259 = 0x00000103',
      '  sequence_number: 7 = 0x00000007',
      '  source_addr: "67570000001"',
      '  destination_addr: "123"',
      '  user_message_reference: 258 = 0x00000102',
      '  receipted_message_id: "S1"',
      '  imsi:',
      '   Octet string at 0x2:',
      '     len:  1',
      '     data: 05   .',
      '   Octet string dump ends.',
      '  message_payload:',
      '   Octet string at 0x3:',
      '     len:  18',
      '     data: 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f   ................',
      '     data: 41 42                                             AB',
      '   Octet string dump ends.',
      'SMPP PDU dump ends.',
    ]
      .map(line)
      .join('\n')
    const { frames, unnamed } = readKannelLog(log)
    assert.deepEqual(unnamed, ['imsi'])
    const [heard] = capturedFrames(frames).pdus
    assert.deepEqual(
      heard!.pdu.tlvs.map(({ tag, value }) => [tag, value.toString('hex')]),
      [
        [0x204, '0102'],
        [0x1e, '533100'],
        [0x424, '000102030405060708090a0b0c0d0e0f4142'],
      ],
    )
  })
})
