/** Settings of test dials (src/test-dials), and the checks that need more than one key. */
import { z } from 'zod'
import { didYouMean, type Problem } from '../base/index.ts'
import { httpUrl, ms, settingName } from '../base/settings/index.ts'
import { readCode } from '../ussd/index.ts'
import type { Settings } from './schema.ts'
import { expectedFault } from './test-dial-expected.ts'

/** No country has this code (ITU-T E.164: 999 is not assigned), so no subscriber has this number. */
const TEST_MSISDN = '999000000001'

/** As many first screens a minute as one subscriber walks through: no load worth speaking of. */
const TEST_DIALS_MAX = 200

const dialler = z
  .strictObject({
    url: httpUrl.describe('a test dial is POST url with {"code", "withinMs"}; the answer is 200 and {"text"}'),
    hangUpUrl: httpUrl.optional().describe('POST there ends the call; absent: the dialler hangs up by itself'),
    tokenFile: z.string().optional().describe('file with a bearer token'),
    privateNetwork: z
      .boolean()
      .optional()
      .describe(
        'true: the host name in url may lead to a private address (a container network); an address in url always may',
      ),
  })
  .describe('dials through the network: a modem, a loop-back of the SMSC; absent: inside this daemon, past the network')

const testDial = z
  .strictObject({
    line: settingName.optional().describe('absent: each line'),
    service: z
      .string()
      .refine((code) => readCode(code) !== null, 'what is dialled, such as *123# or *123*2#')
      .optional()
      .describe('what is dialled; absent: each code of services on that line, except *'),
    everyMs: ms(5_000, 86_400_000).default(60_000).describe('how often: an alarm needs to know within minutes'),
    timeoutMs: ms(500, 60_000)
      .default(10_000)
      .describe(
        'the first screen must be there by then; longer than dialogue.turnMs, so that a fallback screen is seen',
      ),
    from: z
      .string()
      .regex(/^[1-9]\d{4,14}$/, 'international digits, no +')
      .default(TEST_MSISDN)
      .describe(
        'the MSISDN that dials: of no subscriber, or a test account that the back ends know; through the network: the number of the dialler. What it dials changes nothing, and is not counted among subscribers',
      ),
    expect: z
      .strictObject({
        text: z.string().min(1).max(182).optional().describe('the first screen has this text in it'),
        regex: z
          .string()
          .superRefine((source, issue) => {
            const message = expectedFault(source)
            if (message !== null) issue.addIssue({ code: 'custom', message })
          })
          .optional()
          .describe('or this expression matches somewhere in it'),
      })
      .refine(({ text, regex }) => (text === undefined) !== (regex === undefined), 'needs either text or regex')
      .optional()
      .describe('what the first screen shows; absent: any screen but an apology'),
    dialler: dialler.optional(),
  })
  .refine(
    ({ dialler: through, line, service }) => through === undefined || (line !== undefined && service !== undefined),
    {
      error: 'with a dialler, say line and service: it dials one code in one network',
    },
  )

export const testDialsSchema = z.array(testDial).max(TEST_DIALS_MAX).default([])

/** What a test dial gets that no wish of the settings describes. */
export const testDialDefaults = testDial.parse({})

/** Names that there are. A line may come with a reload, but then the settings have it. */
export function testDialProblems(
  { testDials, lines, services }: Settings,
  where: (path: PropertyKey[]) => string,
): Problem[] {
  const names = lines.map(({ name }) => name)
  const problems = testDials.flatMap(({ line }, i): Problem[] => {
    if (line === undefined || names.includes(line)) return []
    const remedy = didYouMean(line, names)
    const what = `there is no line '${line}' over SMPP`
    return [{ where: where(['testDials', i, 'line']), what, ...(remedy ? { remedy } : {}) }]
  })
  const most = testDials.reduce(
    (sum, { line, service }) =>
      sum + (line === undefined ? names.length : 1) * (service === undefined ? services.length : 1),
    0,
  )
  if (most <= TEST_DIALS_MAX) return problems
  const what = `these are up to ${most} test dials, at most ${TEST_DIALS_MAX}`
  return [...problems, { where: where(['testDials']), what, remedy: 'name the lines and services that matter' }]
}
