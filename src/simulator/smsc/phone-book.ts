/** The phones of the simulator. Each is created at its first use. */
import type { Clock } from '../../ussd/index.ts'
import { writeTyped } from '../codec/index.ts'
import type { Handset, Network } from '../network/index.ts'
import { phone as newPhone, type Phone } from '../phone/index.ts'
import type { Deliveries } from './deliveries.ts'
import type { SmscEvent } from './events.ts'

interface PhoneBookDeps {
  clock: Clock
  /** How long a phone waits for a screen or an SMS. */
  screenMs: number
  /** How many SMS a phone keeps. Undefined: its own default. */
  inboxMax: number | undefined
  /** How many lines of its story a phone keeps. Undefined: the phone's own default. */
  storyMax: number | undefined
  network: Network
  deliveries: Deliveries
  emit(event: SmscEvent): void
}

/** Every phone that a caller asked for or wrote to. */
export function phoneBook(deps: PhoneBookDeps): {
  get(msisdn: string, source?: [number, number, string]): Phone
  byNumber(digits: string): Phone
  all(): Phone[]
} {
  const phones = new Map<string, Phone>()
  /** How networks write the numbers that they do not write as the MSISDN. */
  const written = new Map<string, string>()

  function get(msisdn: string, source?: [number, number, string]): Phone {
    const known = phones.get(msisdn)
    if (known && !source) return known
    const form = source ?? [1, 1, msisdn]
    written.set(form[2].replace(/^\+/, ''), msisdn)
    if (known) {
      known.source = form
      return known
    }
    const made = newPhone(
      { msisdn, source: form, confirms: true, isOff: false },
      {
        clock: deps.clock,
        network: deps.network,
        withinMs: deps.screenMs,
        inboxMax: deps.inboxMax,
        storyMax: deps.storyMax,
        onChange: (what) => deps.emit({ is: 'phone', what, msisdn }),
        sendSms: (handset, to, text) => sendSms(deps.deliveries, handset, to, text),
      },
    )
    phones.set(msisdn, made)
    return made
  }

  return {
    get,
    byNumber(digits) {
      const bare = digits.replace(/^\+/, '')
      return get(written.get(bare) ?? bare)
    },
    all: () => [...phones.values()],
  }
}

/** A mobile originated SMS; resolves with the status of its acknowledgement. */
function sendSms(deliveries: Deliveries, handset: Handset, to: string, text: string): Promise<number> {
  const { octets, dataCoding } = writeTyped(text, { gsm7: 0, ucs2: 8 })
  const [ton, npi, source] = handset.source
  return new Promise((done, fail) => {
    deliveries.send({
      command: 'deliver_sm',
      systemId: '',
      msisdn: handset.msisdn,
      lane: 'sms',
      event: 'sms',
      attempts: 0,
      tlvs: [],
      body: {
        source_addr_ton: ton,
        source_addr_npi: npi,
        source_addr: source,
        dest_addr_ton: 0,
        dest_addr_npi: 1,
        destination_addr: to,
        data_coding: dataCoding,
        short_message: octets,
      },
      done: (outcome) => (outcome.kind === 'answered' ? done(outcome.status) : fail(new Error(outcome.why))),
    })
  })
}
