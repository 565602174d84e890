/** The SMS of an examination: which, how many, and what the handset should show for each. */
import { smppAbsoluteTime, smsPdu, splitSms, type Concatenation, type SmsPart } from '../../sms/pdu/index.ts'
import type { OutgoingPdu } from '../../smpp/index.ts'
import { encodeNational, shiftElements } from '../../ussd/index.ts'
import type { ExamPlan } from './exam.ts'
import type { CheckId, Finding } from './finding.ts'

/** One check that costs SMS: what it sends, and what the handset should show. */
export interface SmsCheck {
  check: CheckId
  pdus: OutgoingPdu[]
  handset: string
  refused: Pick<Finding, 'advice' | 'settings'>
  accepted?: Pick<Finding, 'advice'>
}

const HOUR_MS = 3_600_000
/** Also for an SMSC that accepts the time and does not keep it. */
export const NO_SCHEDULE =
  'nothing to do: SMS wait in the outbox of the daemon until they are due, where they can still be cancelled'
const SCHEDULE = {
  advice:
    'the daemon does not use it: SMS wait in its outbox until they are due; other programs on this account may need it',
}
/** registered_delivery: a receipt for every final state. (SMPP v3.4 §5.2.17) */
export const RECEIPT = 1
const [GSM7, UCS2] = ['Test 1: @ £ $ _ { } [ ] ~ é ü end', 'Тест 2: привет, end'] as const
const LONG =
  'This is a long text in two parts. You must see it as one message, with nothing missing and nothing doubled: ' +
  'one two three four five six seven eight nine ten eleven twelve. end'
const ORDER: readonly Concatenation[] = ['udh16', 'udh8', 'sar', 'payload']

const REFERENCE = 0x4400

/** Everything that would be sent. It is counted and shown before anything is sent. */
export function smsChecks(plan: ExamPlan, nowMs: number): SmsCheck[] {
  if (plan.msisdn === undefined) return []
  const writer = smsWriter(plan, plan.msisdn)
  return [
    ...alphabetChecks(writer),
    ...ORDER.map((way, i) => longCheck(writer, way, i + 1)),
    dataSmCheck(writer),
    ...validityChecks(writer, nowMs),
    ...scheduleChecks(writer, nowMs),
  ]
}

/** Writes SMS to the test handset as the settings say. */
interface SmsWriter {
  one(part: SmsPart, times?: { validity?: string; schedule?: string }): OutgoingPdu
  /** For a text that fits one SMS. */
  text(said: string, times?: { validity?: string; schedule?: string }): OutgoingPdu
  parts(said: string, concatenation: Concatenation, reference: number): OutgoingPdu[]
}

function smsWriter({ source, sms }: ExamPlan, msisdn: string): SmsWriter {
  const { serviceType, destTon, destNpi, plain } = sms ?? {}
  const split = (said: string, concatenation: Concatenation, reference: number) =>
    splitSms(said, { concatenation, ...(plain ? { plain } : {}) }, reference).parts
  const one: SmsWriter['one'] = (part, { validity = '', schedule = '' } = {}) => {
    const pdu = smsPdu(part, {
      ...(serviceType === undefined ? {} : { serviceType }),
      ...(destTon === undefined ? {} : { destTon }),
      ...(destNpi === undefined ? {} : { destNpi }),
      source: source.addr,
      sourceTon: source.ton,
      sourceNpi: source.npi,
      msisdn,
      registeredDelivery: RECEIPT,
      validityPeriod: validity,
    })
    return { ...pdu, body: { ...pdu.body, schedule_delivery_time: schedule } }
  }
  return {
    one,
    text: (said, times) => one(split(said, 'udh16', 1)[0]!, times),
    parts: (said, concatenation, reference) => split(said, concatenation, reference).map((part) => one(part)),
  }
}

function alphabetChecks({ one, text }: SmsWriter): SmsCheck[] {
  return [
    {
      check: 'sms-gsm7',
      pdus: [text(GSM7)],
      handset: `"${GSM7}"; if @ $ _ look wrong, set another sms.alphabet, most often latin1`,
      refused: { advice: 'ask which data_coding plain text needs here, and set sms.dataCoding and sms.alphabet' },
    },
    {
      check: 'sms-ucs2',
      pdus: [text(UCS2)],
      handset: `"${UCS2}"`,
      refused: { advice: 'the SMSC takes no UCS-2: the daemon transliterates texts', settings: { 'sms.ucs2': false } },
    },
    {
      check: 'sms-national',
      pdus: [one(national('Test 3: ş ğ ı, end'))],
      handset: '"Test 3: ş ğ ı, end"; if the marks are missing, the handset or the network drops the table',
      refused: { advice: 'keep sms.languages empty' },
    },
  ]
}

function longCheck({ parts }: SmsWriter, way: Concatenation, n: number): SmsCheck {
  return {
    check: `long-${way}`,
    pdus: parts(`Long test ${n} (${way}): ${LONG}`, way, REFERENCE + n),
    handset: `one message: "Long test ${n}: ${LONG.slice(0, 24)}… twelve. end"`,
    refused: {},
  }
}

function dataSmCheck({ text }: SmsWriter): SmsCheck {
  return {
    check: 'data-sm',
    pdus: [dataSm(text('Test 4, by data_sm, end'))],
    handset: '"Test 4, by data_sm, end"',
    refused: { advice: 'use only submit_sm: no dialect with pdu: data_sm works here' },
  }
}

function validityChecks({ text }: SmsWriter, nowMs: number): SmsCheck[] {
  return [
    {
      check: 'validity-relative',
      pdus: [text('Test 5, valid one day, end', { validity: '000001000000000R' })],
      handset: '"Test 5, valid one day, end"',
      refused: { advice: 'set sms.validity to another form than relative', settings: { 'sms.validity': 'absolute' } },
    },
    {
      check: 'validity-absolute',
      pdus: [text('Test 6, valid until tomorrow, end', { validity: smppAbsoluteTime(nowMs + 24 * HOUR_MS) })],
      handset: '"Test 6, valid until tomorrow, end"',
      refused: { advice: 'set sms.validity to another form than absolute', settings: { 'sms.validity': 'none' } },
    },
  ]
}

function scheduleChecks({ text }: SmsWriter, nowMs: number): SmsCheck[] {
  const handset = 'nothing: the test cancels it before its time'
  const so = { handset, refused: { advice: NO_SCHEDULE }, accepted: SCHEDULE }
  return [
    {
      check: 'schedule-relative',
      pdus: [text('Test 7, cancelled: must not arrive', { schedule: '000000020000000R' })],
      ...so,
    },
    {
      check: 'schedule-absolute',
      pdus: [text('Test 8, cancelled: must not arrive', { schedule: smppAbsoluteTime(nowMs + 2 * HOUR_MS) })],
      ...so,
    },
  ]
}

function dataSm({ body }: OutgoingPdu): OutgoingPdu {
  const {
    service_type,
    source_addr_ton,
    source_addr_npi,
    source_addr,
    dest_addr_ton,
    dest_addr_npi,
    destination_addr,
    data_coding,
    short_message,
  } = body
  return {
    command: 'data_sm',
    tlvs: [{ tag: 0x0424, value: short_message as Buffer }],
    body: {
      service_type,
      source_addr_ton,
      source_addr_npi,
      source_addr,
      dest_addr_ton,
      dest_addr_npi,
      destination_addr,
      esm_class: 0,
      registered_delivery: RECEIPT,
      data_coding,
    },
  }
}

/** Turkish, single shift table. (3GPP TS 23.038 §6.2.1.2.4, annex A.2.1) */
const TURKISH = { single: 1, locking: 0 }
const UDHI = 0x40

function national(text: string): SmsPart {
  const said = encodeNational(text, TURKISH)
  if (!said) throw new Error('the shift table lacks a letter of the text')
  const elements = shiftElements(TURKISH)
  return {
    text,
    shortMessage: Buffer.concat([Buffer.of(elements.length), elements, said]),
    esmClass: UDHI,
    dataCoding: 0,
    tlvs: [],
  }
}
