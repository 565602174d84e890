/** `sms`: SMS from subscribers, and the answers to them. */
import { z } from 'zod'
import { ms } from '../../base/settings/index.ts'

const words = (...all: string[]) => z.array(z.string().min(1).max(20)).max(20).default(all)
const wording = (texts: Record<string, string>) =>
  z.record(z.string().regex(/^[a-z]{2,3}$/), z.string().min(1).max(640)).default(texts)

const long = z.strictObject({
  keepMs: ms(60_000, 604_800_000)
    .default(86_400_000)
    .describe('how long to wait for all parts of a text: SMSCs usually try for at most a day'),
  partsMax: z
    .number()
    .int()
    .min(2)
    .max(255)
    .default(40)
    .describe('parts of one text; a text that claims more is not collected'),
  textsMax: z
    .number()
    .int()
    .min(1)
    .max(100)
    .default(8)
    .describe('unfinished texts of one subscriber; above it the oldest is given up'),
  subscribersMax: z
    .number()
    .int()
    .min(64)
    .max(1_000_000)
    .default(16_000)
    .describe('subscribers with unfinished texts, a kilobyte each; above it the SMSC must keep them (0x64)'),
})

/** Texts by language; the first stands for all others. */
export const incomingSchema = z.strictObject({
  keywords: z
    .strictObject({
      stop: words('STOP', 'PINIS').describe(
        'words that stop all SMS, in capital or small letters; other words may follow',
      ),
      start: words('START').describe('SMS again'),
      help: words('HELP', 'HELPIM').describe('words that texts.help answers, if there is one'),
    })
    .prefault({}),
  texts: z
    .strictObject({
      stopped: wording({
        en: 'You will get no more SMS from us. To get them again, write START.',
        tpi: 'Bai yu no inap kisim SMS moa. Sapos yu laikim gen, raitim START.',
      }).describe('the one SMS after STOP'),
      started: wording({
        en: 'You will get SMS from us again. To stop them, write STOP.',
        tpi: 'Bai yu kisim SMS gen. Sapos yu no laikim, raitim PINIS.',
      }),
      help: wording({}).describe('the answer to an unknown word; empty: no answer'),
    })
    .prefault({}),
  copyMs: ms(0, 86_400_000)
    .default(300_000)
    .describe('the same text again within this time, with nothing between, counts as a copy that the SMSC sent twice'),
  replyMs: ms(0, 2_592_000_000)
    .default(172_800_000)
    .describe('an answer belongs to the last reminder within this time'),
  long: long.prefault({}).describe('long SMS from subscribers, until all parts have arrived'),
  helpEveryMs: ms(60_000, 2_592_000_000)
    .default(86_400_000)
    .describe('unasked help at most once within this time: two machines must not answer each other for ever'),
})

export type SmsInSettings = z.infer<typeof incomingSchema>
