import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { settingsSchema } from '../../src/config/schema.ts'
import { PERSONAL } from '../../src/privacy/subscriber.ts'
import { GOALS } from '../campaigns/judging/goals.ts'
import { CAMPAIGNS } from '../campaigns/campaigns.ts'
import { root } from './tree.ts'

const read = (file: string) => readFileSync(join(root, file), 'utf8')
const PAGES = [
  'SECURITY.md',
  'docs/SECURITY.md',
  ...readdirSync(join(root, 'docs/security')).map((name) => `docs/security/${name}`),
]

describe('the pages about security', () => {
  it('name tests, files, goals, commands and links that there are', () => {
    const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts)
    for (const page of PAGES) {
      const text = read(page)
      for (const [, file] of text.matchAll(/`((?:test|src|deploy|faults)\/[\w./-]+\.\w+)`/g))
        assert.ok(existsSync(join(root, file!)), `${page}: ${file}`)
      for (const [, link] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g))
        assert.ok(existsSync(join(root, dirname(page), link!)), `${page}: ${link}`)
      for (const [goal] of text.matchAll(/\bR\d{1,2}\b/g))
        assert.ok(
          GOALS.some(([id]) => id === goal),
          `${page}: ${goal}`,
        )
      for (const [, script] of text.matchAll(/`npm run (\w+)/g))
        assert.ok(scripts.includes(script!), `${page}: ${script}`)
      for (const [, name] of text.matchAll(/--only (\w+)/g))
        assert.ok(
          CAMPAIGNS.some((one) => one.name === name),
          `${page}: ${name}`,
        )
    }
  })

  it('name for each claim the test or the goal that holds it', () => {
    const isHeld = (text: string) => /`test\/[\w./-]+\.ts`|\bR\d{1,2}\b/.test(text)
    const rowsOf = (page: string) =>
      [...read(page).matchAll(/^\|(.+)\|$/gm)]
        .map(([, row]) => row!.split(' | ').map((cell) => cell.trim()))
        .filter(([first]) => !/^(threat|topic of|section|-+)/.test(first!))
    // What nobody holds says so itself.
    const open = rowsOf('docs/security/threat-model.md').filter((cells) => !isHeld(cells.at(-1)!))
    assert.deepEqual(
      open.map(([threat]) => threat),
      ['Postgres is read'],
    )
    for (const cells of rowsOf('docs/security/ts-33117-answers.md'))
      assert.ok(isHeld(cells.at(-1)!) || cells.at(-1)!.startsWith('by hand'), cells[0])
    const answers = rowsOf('docs/security/asvs.md')
    assert.ok(answers.length > 50)
    for (const [section, answer, where] of answers) {
      assert.match(answer!, /^(met|partly|not met|—)$/, section)
      if (answer === 'met') assert.ok(isHeld(where!) || /\]\(/.test(where!), section)
    }
  })

  it('name in docs/SECURITY.md, paragraph by paragraph, what holds it', () => {
    const [, ...sections] = read('docs/SECURITY.md').split(/^## /m)
    const claims = sections
      .filter((section) => !section.startsWith('For reviewers'))
      .flatMap((section) => section.split(/\n\n|\n(?=\* )/).slice(1))
      .filter((paragraph) => !/^(\||```|<)/.test(paragraph.trim()) && paragraph.trim() !== '')
    assert.ok(claims.length > 15)
    const bare = claims.filter((claim) => !/`test\/[\w./-]+\.ts`|\bR\d{1,2}\b/.test(claim))
    assert.deepEqual(
      bare.map((claim) => claim.slice(0, 60)),
      [],
    )
  })

  it('give the ports and addresses that the settings have by default', () => {
    const least = settingsSchema.parse({
      lines: [{ name: 'a', smsc: { host: 'h', systemId: 's' } }],
      services: [{ code: '*', flow: 'f' }],
      redis: 'embedded',
      postgres: 'embedded',
      door: {},
    })
    const ports = read('docs/security/ports.md')
    for (const [key, host, port] of [
      ['admin.port', least.admin.host, least.admin.port],
      ['door.port', least.door!.host, least.door!.port],
    ] as const) {
      assert.ok(ports.includes(`| \`${key}\` | ${host}:${port} |`), `${key}: ${host}:${port}`)
      assert.equal(host, '127.0.0.1')
    }
    assert.ok(ports.includes(`| \`lines[].smsc.port\` | ${least.lines[0]!.smsc.port} |`))
    for (const [, command, , port] of ports.matchAll(/\| `(simulate|wallet)` \| (.*)127\.0\.0\.1:(\d+) \|/g))
      assert.ok(read(`src/cli/commands/${command}.ts`).includes(`parseInteger, ${port})`), port)
  })

  it('say of every table with a number how long it is kept, and of every term what the settings have', () => {
    const flow = read('docs/security/data-flow.md')
    for (const { table } of PERSONAL) assert.ok(flow.includes(`\`${table}\``), table)
    const { retention, trace } = settingsSchema.parse({
      services: [{ code: '*', flow: 'f' }],
      redis: 'embedded',
      postgres: 'embedded',
    })
    const said = Object.fromEntries(
      [...flow.matchAll(/`(?:retention|trace)\.(\w+)`(?: unused)?, (\d+)/g)].map((found) => [
        found[1]!,
        Number(found[2]),
      ]),
    )
    const { smsDays, appointmentsMonths, idleMonths, auditDays } = retention
    assert.deepEqual(said, { smsDays, appointmentsMonths, idleMonths, auditDays, dropFiles: trace.dropFiles })
  })
})
