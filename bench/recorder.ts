/**
 * What the flight recorder costs: `node --import tsx bench/recorder.ts`. First one PDU into a full ring; then a line
 * that submits over loopback to a peer that answers at once, recorder on and off by turns, CPU of this one process, in
 * which the peer is too. Compare the columns, not machines.
 */
import { createServer, type AddressInfo } from 'node:net'
import { systemClock } from '../src/base/time/wall-clock.ts'
import { silentLog } from '../src/base/log/port.ts'
import { createMasking } from '../src/tools/recorder/masking.ts'
import { createRecorder } from '../src/tools/recorder/recorder.ts'
import { noCounters } from '../src/smpp/session/counters.ts'
import { encode, encodeResponse } from '../src/smpp/pdu/codec.ts'
import { compileDialect } from '../src/smpp/dialect/dialect.ts'
import { loadProfile } from '../src/smpp/dialect/load.ts'
import { framer } from '../src/smpp/pdu/framer.ts'
import { smppLine } from '../src/smpp/session/line.ts'
import { lineSettings } from '../src/smpp/session/settings.ts'

const SUBMITS = Number(process.env.SUBMITS ?? 40_000)
const ROUNDS = Number(process.env.ROUNDS ?? 7)
const PUTS = 1_000_000
const SUBMIT = {
  command: 'submit_sm' as const,
  tlvs: [
    { tag: 0x0501, value: Buffer.of(2) },
    { tag: 0x1383, value: Buffer.of(7, 2) },
  ],
  body: {
    service_type: 'USSD',
    source_addr: '123',
    dest_addr_ton: 1,
    dest_addr_npi: 1,
    destination_addr: '67570000001',
    data_coding: 15,
    short_message: Buffer.from(
      'Welcome to Akiba Dental Clinic\n1. Book a visit\n2. My visits\n3. Change language\n0. Exit',
    ),
  },
}
const clock = systemClock()
const newRecorder = (pdusMax: number) =>
  createRecorder({
    limits: { pdusMax, octetsMax: 262_144 },
    now: clock.now,
    masking: createMasking(Buffer.from('bench')),
  })

const coded = encode(SUBMIT)
if (!('octets' in coded)) throw new Error(coded.fault)
const link = { id: 'bench/0#b.1', line: 'bench', respond: () => undefined }
const { tap } = newRecorder(2_000)
for (let i = 0; i < PUTS; i++) tap!('out', coded.octets, link)
const start = process.hrtime.bigint()
for (let i = 0; i < PUTS; i++) tap!('out', coded.octets, link)
console.log(
  `one PDU of ${coded.octets.length} octets kept: ${(Number(process.hrtime.bigint() - start) / PUTS).toFixed(0)} ns`,
)

const server = createServer((socket) => {
  socket.setNoDelay(true)
  const read = framer((frame) => void socket.write(responseTo(frame)))
  socket.on('data', (chunk: Buffer) => void read.push(chunk))
  socket.on('error', () => undefined)
})
await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))

const seconds: Record<'on' | 'off', number[]> = { on: [], off: [] }
await cpuOf('off')
for (let round = 0; round < ROUNDS; round++) {
  for (const mode of round % 2 ? (['on', 'off'] as const) : (['off', 'on'] as const))
    seconds[mode].push(await cpuOf(mode))
}
const [on, off] = [median(seconds.on), median(seconds.off)]
console.log(
  `${SUBMITS} submits and their responses, CPU s: off ${off.toFixed(3)}, on ${on.toFixed(3)}, ratio ${(on / off).toFixed(3)}`,
)
server.close()

async function cpuOf(mode: 'on' | 'off'): Promise<number> {
  const recorder = newRecorder(mode === 'on' ? 2_000 : 0)
  const { port } = server.address() as AddressInfo
  const line = smppLine(
    lineSettings({
      name: 'bench',
      smsc: { hosts: [{ host: '127.0.0.1', port }], systemId: 'bench', password: 'bench' },
      limits: { windowSlots: 50, queueMax: { ussd: SUBMITS, sms: SUBMITS } },
    }),
    {
      dialect: compileDialect(loadProfile('standard', new URL('../dialects', import.meta.url).pathname)),
      clock,
      chance: () => 0.5,
      log: silentLog,
      counters: noCounters,
      instance: 'b',
      onRequest: () => undefined,
      ...(recorder.tap ? { tap: recorder.tap } : {}),
    },
  )
  line.start()
  while (!line.bound()) await new Promise<void>((done) => void clock.after(5, done))
  const before = process.cpuUsage()
  await Promise.all(
    Array.from({ length: SUBMITS }, () => line.submit(SUBMIT, { lane: 'ussd', deadline: clock.now() + 60_000 })),
  )
  const { user, system } = process.cpuUsage(before)
  await line.stop(clock.now() + 1_000)
  return (user + system) / 1e6
}

function responseTo(frame: Buffer): Buffer {
  const name =
    { 0x09: 'bind_transceiver', 0x04: 'submit_sm', 0x06: 'unbind', 0x15: 'enquire_link' }[frame.readUInt32BE(4)] ??
    'unknown'
  const response = encodeResponse(name, 0, frame.readUInt32BE(12))
  if (name !== 'bind_transceiver') return response
  const octets = Buffer.concat([response, Buffer.of(0)])
  octets.writeUInt32BE(octets.length, 0)
  return octets
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}
