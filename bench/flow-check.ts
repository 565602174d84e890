/**
 * What `check` costs: `node --import tsx bench/flow-check.ts [SCREENS]`. A made service of 400 screens in three languages,
 * with catalogues, calls, lists, inputs and refusals, is checked in processes of their own, cold as on a designer's
 * machine. The figure is the processor time of the check itself; loading the program is told beside it.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'

const ROUNDS = Number(process.env.ROUNDS ?? 3)
const SCREENS = Number(process.argv[2] ?? 400)
const LANGUAGES = ['en', 'tpi', 'fr'] as const
/** The screens of one branch of the service. */
const BRANCH = 13

/** A main menu, and branches of ten screens each. */
function serviceOf(screens: number): string {
  const branches = Array.from({ length: Math.round(screens / BRANCH) }, (_, i) => i)
  const menus = Array.from({ length: Math.ceil(branches.length / 20) }, (_, i) => i)
  const lines = menus.map((menu) => {
    const own = branches.slice(menu * 20, menu * 20 + 20).map((i) => `{ label: Service ${i}, to: menu-${i} }`)
    const next = menu + 1 < menus.length ? [`{ label: Further services, to: main-${menu + 1} }`] : []
    return `  main-${menu}: { menu: Welcome, choices: [${[...own, ...next].join(', ')}] }`
  })
  return `flow: large
spec: 1
start: main-0
languages: [${LANGUAGES.join(', ')}]
keys: { back: '0', home: '00' }
texts: { fr: { ${FRENCH} } }
screens:
${[...lines, ...branches.map(branchOf)].join('\n')}
`
}

const FRENCH = ['busy', 'goodbye', 'invalid', 'invalid-short', 'wrong', 'more', 'back', 'home', 'holding', 'expired']
  .concat(['overload', 'resume', 'continue', 'main-menu', 'no-match', 'no-number', 'show-all'])
  .map((key) => `${key}: Texte ${key}`)
  .join(', ')

const branchOf = (i: number) => `
  menu-${i}:
    menu: Service ${i}, please choose
    choices: [{ label: Balance of ${i}, to: balance-${i} }, { label: Pay for ${i}, to: amount-${i} }, { label: Offers of ${i}, to: offers-${i} }]
  balance-${i}: { call: wallet.balance${i}, once: false, expect: { amount: { is: number, min: 0, max: 10000 }, at: { is: text, max: 24 } }, to: shown-${i} }
  shown-${i}: { end: 'You have K{data.balance-${i}.amount, number, money} on {data.balance-${i}.at, date} for ${i}.' }
  amount-${i}:
    input: 'How much for ${i} (1-500)?'
    number: { min: 1, max: 500 }
    checks: [{ if: answers.amount-${i} != 13, wrong: Not thirteen for ${i}. }]
    to: which-${i}
  which-${i}: { branch: [{ if: answers.amount-${i} > 100, to: sure-${i} }], else: pay-${i} }
  sure-${i}: { menu: 'Pay K{answers.amount-${i}, number, money} for ${i}?', choices: [{ label: Pay it for ${i}, to: pay-${i} }] }
  pay-${i}:
    call: wallet.pay
    with: { amount: '{answers.amount-${i}}', service: ${i} }
    once: true
    expect: { reference: { is: text, max: 12 } }
    refused: { insufficient: menu-${i}, closed: { to: menu-${i}, notice: Service ${i} is closed. } }
    to: paid-${i}
  paid-${i}: { end: 'Paid for ${i}. Reference {data.pay-${i}.reference}.' }
  offers-${i}: { call: wallet.offers, once: false, expect: { rows: { is: rows, max: 20, fields: { name: 20 } } }, to: offer-${i} }
  offer-${i}: { list: 'Offers of ${i}:', from: data.offers-${i}.rows, row: '{row.name} - {row.price, number, money}', keep: [id, name, price], to: deal-${i}, empty: menu-${i} }
  deal-${i}: { menu: 'Take {chosen.offer-${i}.name} of ${i}?', choices: [{ label: Take it for ${i}, to: take-${i} }] }
  take-${i}: { call: wallet.take, with: { id: '{chosen.offer-${i}.id}' }, once: true, to: taken-${i} }
  taken-${i}: { end: Taken for ${i}. }`

/** Every text of the service with a word in front. */
function catalogueOf(service: string, language: string): string {
  const quoted = [
    ...service.matchAll(/(?:menu|label|input|wrong|notice|end|list): (?:'([^']+)'|([^,}'\n]+?))(?= ?[,}\n])/g),
  ]
  const row = '{row.name} - {row.price, number, money}'
  const texts = new Set([...quoted.map(([, long, short]) => (long ?? short)!), row])
  // A menu may have a comma in it.
  for (const [, menu] of service.matchAll(/^ {4}menu: (.+)$/gm)) texts.add(menu!)
  return `language: ${language}\ntexts:\n${[...texts].map((text) => `  ${JSON.stringify(text)}: ${JSON.stringify(`${language} ${text}`)}`).join('\n')}\n`
}

/** One check, in this process. */
async function once(folder: string): Promise<void> {
  const { check } = await import('../src/cli/check/check.ts')
  await import('../src/flow/explore/index.ts')
  const loaded = process.cpuUsage()
  const said: string[] = []
  await check([folder], (line) => said.push(line))
  const { user, system } = process.cpuUsage(loaded)
  const before = (loaded.user + loaded.system) / 1e6
  const warned = said.filter((line) => line.includes('warning:')).length
  console.log(
    JSON.stringify({ cpu: (user + system) / 1e6, loading: before, said: said.slice(0, 2), last: said.at(-1), warned }),
  )
}

function main(): void {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-flow-check-'))
  try {
    const service = serviceOf(SCREENS)
    writeFileSync(join(folder, 'large.yaml'), service)
    for (const language of LANGUAGES.slice(1))
      writeFileSync(join(folder, `large.${language}.yaml`), catalogueOf(service, language))
    console.error(`load ${loadavg()[0]!.toFixed(1)}, ${SCREENS} screens, ${LANGUAGES.length} languages`)
    for (let round = 0; round < ROUNDS; round++) {
      const { stdout, stderr } = spawnSync(
        process.execPath,
        [...process.execArgv, import.meta.filename, '--one', folder],
        { encoding: 'utf8' },
      )
      console.log(stdout.trim() || stderr)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const [mode, folder] = process.argv.slice(2)
if (mode === '--one') await once(folder!)
else main()
