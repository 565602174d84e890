/**
 * How many of random dialects are inferred right from three dialogues each: `node --import tsx bench/infer.ts`.
 * DIALECTS is how many (1,000), SEED where chance begins. Right: every message read as the same and every reply written
 * as the same octets, or the field that is to blame is marked doubtful in the profile.
 */
import { infer } from '../src/tools/infer/infer.ts'
import { loadProfile } from '../src/smpp/dialect/load.ts'
import { seededChance } from '../src/simulator/smsc/chaos.ts'
import { judge, type Difference } from '../test/tools/infer/judge.ts'
import { randomDialect } from '../test/tools/infer/random-dialect.ts'
import { speak } from '../test/tools/infer/spoken.ts'

const WANTED = Number(process.env.DIALECTS ?? 1_000)
const chance = seededChance(Number(process.env.SEED ?? 20_250_501))
const standard = loadProfile('standard', new URL('../dialects', import.meta.url).pathname)

let [played, unspeakable, same, right, sure, doubtful] = [0, 0, 0, 0, 0, 0]
const blamed = new Map<string, { count: number; wrong: number; example: string }>()
for (let n = 0; played < WANTED; n++) {
  const spoken = speak(randomDialect(chance, n), chance)
  if (!spoken) {
    unspeakable++
    continue
  }
  played++
  let differences: Difference[]
  try {
    const { draft } = infer(spoken.pdus, standard)
    differences = judge(spoken, draft)
    const findings = draft.findings().filter((it) => !/actions\.(notify|push|abort)/.test(it.path))
    sure += findings.filter((it) => it.sure).length
    doubtful += findings.filter((it) => !it.sure).length
  } catch (error) {
    if (process.env.SHOW) console.log(n, error)
    differences = [{ path: 'thrown', what: String(error).slice(0, 200), doubted: false }]
  }
  if (differences.length === 0) same++
  const wrong = differences.filter((it) => !it.doubted)
  if (wrong.length === 0) right++
  if (process.env.SHOW && wrong.length > 0) console.log(n, wrong.map((it) => `${it.path}: ${it.what}`).join(' | '))
  for (const { path, what, doubted } of differences) {
    const row = blamed.get(path) ?? { count: 0, wrong: 0, example: `#${n} ${what}` }
    blamed.set(path, { ...row, count: row.count + 1, wrong: row.wrong + (doubted ? 0 : 1) })
  }
}
const percent = (part: number) => `${((100 * part) / played).toFixed(1)} %`
console.log(`${played} dialects (${unspeakable} more could not be spoken by their own network)`)
console.log(`behave the same in everything: ${same}, ${percent(same)}`)
console.log(`the same, or the field is marked doubtful: ${right}, ${percent(right)}`)
console.log(`fields found: ${sure} sure, ${doubtful} doubtful`)
console.table(
  [...blamed]
    .toSorted((a, b) => b[1].wrong - a[1].wrong || b[1].count - a[1].count)
    .map(([path, row]) => ({ path, ...row })),
)
