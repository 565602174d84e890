/** The report of `check`: what was walked and assumed, accepted warnings, --strict, --json, --sarif, and --config. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { check, type CheckOptions } from '../../src/cli/check/check.ts'

const FLOW = `flow: shop
spec: 1
start: main
languages: [en]
screens:
  main: { input: 'Amount (1-20):', number: { min: 1, max: 20 }, to: which }
  which: { branch: [{ if: answers.main > 50, to: much }], else: out }
  much: { end: That is much. }
  out: { exit: true }
`

describe('the report of check', function () {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-check-'))
  const flows = join(folder, 'flows')
  mkdirSync(flows)
  after(() => rmSync(folder, { recursive: true, force: true }))
  afterEach(() => (process.exitCode = undefined))

  async function told(text: string, options: CheckOptions = {}, talk?: string) {
    writeFileSync(join(flows, 'shop.yaml'), text)
    rmSync(join(flows, 'shop.talk'), { force: true })
    if (talk !== undefined) writeFileSync(join(flows, 'shop.talk'), talk)
    const said: string[] = []
    await check([flows], (line) => said.push(line), options)
    const failed = process.exitCode === 1
    process.exitCode = undefined
    return { said, failed }
  }

  const accepting = (line: string) => FLOW.replace('screens:', `accepts: [${line}]\nscreens:`)

  it('says what was walked, what was assumed, and the name of each warning', async () => {
    const { said, failed } = await told(FLOW)
    assert.match(said[0]!, /shop: good, shop@[0-9a-f]{12}, en/)
    assert.match(said[1]!, /^ {2}walked: 3 of 4 screens, \d+ pages, \d+ ways in 1 language$/)
    assert.match(said.join('\n'), /'answers\.main > 50' is never true .* \[never-true\]/)
    assert.match(said.join('\n'), /synthetic answers do not reach screen 'much' .* \[unreached\]/)
    assert.deepEqual([said.at(-1), failed], ['1 flow, 0 errors', false])
    const calling = FLOW.replace(
      '  out:',
      '  ask: { call: a.b, once: false, expect: { name: text }, to: say }\n  say: { end: "{data.ask.name}" }\n  out:',
    ).replace('to: much }', 'to: ask }')
    assert.match(
      (await told(calling)).said.join('\n'),
      /assumed: at most 24 characters in data\.ask\.name \(expect does/,
    )
  })

  it('is an error with --strict as long as the file does not accept the warning, by name and reason', async () => {
    assert.equal((await told(FLOW, { strict: true })).failed, true)
    const both = accepting(
      '{ warning: never-true, because: soon }, { warning: unreached, screen: much, because: soon }',
    )
    const { said, failed } = await told(both, { strict: true })
    assert.deepEqual([said.at(-1), failed], ['1 flow, 0 errors, 0 warnings', false])
    assert.ok(said.includes('  accepted: 2 warnings, as the file says'))
    const other = accepting('{ warning: unreached, screen: main, because: soon }')
    assert.match((await told(other)).said.join('\n'), /accepts 'unreached' of screen 'main', but there is no such/)
    const error = accepting('{ warning: way, because: soon }').replace('to: which', 'to: whih')
    assert.equal((await told(error)).failed, true, 'an error is not accepted')
    assert.match((await told(accepting('{ warning: way }'))).said.join('\n'), /because/)
  })

  it('does not warn of a screen that a talk reaches', async () => {
    const text = FLOW.replace('number: { min: 1, max: 20 }', "pattern: '[0-9]{1,3}'").replace(
      'answers.main > 50',
      `"concat(answers.main, 'x') == '777x'"`,
    )
    const warned = async (talk?: string) => (await told(text, {}, talk)).said.join('\n').includes("reach screen 'much'")
    assert.equal(await warned(), true)
    assert.equal(await warned('flow shop\ncode *1#\ndial *1#\n> 12\n'), true)
    assert.equal(await warned('flow shop\ncode *1#\ndial *1#\n> 777\n< That is much.\n'), false)
    assert.equal(await warned('flow shop\ncode *1#\ndial *1#\n> 777\n< Something else.\n'), false, 'though it fails')
  })

  it('is JSON with --json: counts, places, reasons', async () => {
    const text = accepting('{ warning: unreached, because: soon }')
    const { said } = await told(text, { json: true })
    assert.equal(said.length, 1)
    const report = JSON.parse(said[0]!) as {
      errors: number
      warnings: number
      flows: { revision: string; walked: { all: number }; problems: Record<string, unknown>[] }[]
    }
    assert.deepEqual([report.errors, report.warnings, report.flows[0]!.walked.all], [0, 1, 4])
    const { file, line, ...rest } = report.flows[0]!.problems.find(({ rule }) => rule === 'unreached')!
    assert.deepEqual([file, line, rest.accepted, rest.severity], [join(flows, 'shop.yaml'), 9, 'soon', 'warning'])
  })

  it('is SARIF 2.1.0 with --sarif, with accepted warnings as suppressed ones', async () => {
    const { said, failed } = await told(
      accepting('{ warning: unreached, because: soon }').replace('out: {', 'oot: {'),
      { sarif: true },
    )
    const log = JSON.parse(said[0]!) as {
      version: string
      runs: { results: { ruleId: string; level: string; locations: unknown[]; suppressions?: unknown[] }[] }[]
    }
    assert.deepEqual([log.version, failed], ['2.1.0', true])
    const [result] = log.runs[0]!.results
    assert.equal(result!.level, 'error')
    assert.match(JSON.stringify(result!.locations), /"uri":".*shop\.yaml".*"startLine":\d+,"startColumn":\d+/)
    const good = JSON.parse(
      (await told(accepting('{ warning: unreached, because: soon }'), { sarif: true })).said[0]!,
    ) as typeof log
    const accepted = good.runs[0]!.results.filter(({ suppressions }) => suppressions !== undefined)
    assert.deepEqual(
      accepted.map(({ ruleId, suppressions }) => [ruleId, suppressions]),
      [['unreached', [{ kind: 'inSource', justification: 'soon' }]]],
    )
    await assert.rejects(told(FLOW, { json: true, sarif: true }), /not both/)
  })

  describe('with --config', () => {
    const config = join(folder, 'connector.yaml')
    const PLAIN = FLOW.replace('> 50', '> 5')
    const LINE = 'smsc: { host: 127.0.0.1, port: 1, systemId: x, password: y }'
    const settings = (more: string, line = '') =>
      `lines:\n  - name: a\n    ${LINE}${line}\nservices:\n  - { code: "*1#", flow: shop }\nflows: { dir: ${flows} }\nredis: embedded\npostgres: embedded\n${more}`
    async function errors(text: string, flow = PLAIN): Promise<string[]> {
      writeFileSync(config, text, { mode: 0o600 })
      const { said, failed } = await told(flow, { config, json: true })
      const { settings: found, flows: checked } = JSON.parse(said[0]!) as Record<
        'settings' | 'flows',
        { severity: string; line: number; what: string; problems: { severity: string; what: string; line: number }[] }[]
      >
      const all = [...found, ...checked.flatMap(({ problems }) => problems)].filter(
        ({ severity }) => severity === 'error',
      )
      assert.equal(failed, all.length > 0)
      return all.map(({ line, what }) => `${line}: ${what}`)
    }

    it('has nothing to say of settings that run would take', async () => {
      assert.deepEqual(await errors(settings('')), [])
    })

    it('says all for which run would refuse them, with the lines of the settings', async () => {
      const text = settings(
        'backends:\n' +
          '  gone: { module: ./nowhere.mjs }\n' +
          '  shop:\n    http:\n      url: http://127.0.0.1:9\n      tokenFile: /nowhere/token\n' +
          'apps:\n  app:\n    contract: nosuch\n    url: http://127.0.0.1:9\n' +
          'admin:\n  tokensFile: /nowhere/tokens\n',
        '\n    dialect: standrad',
      ).replace('flow: shop }', 'flow: shop }\n  - { code: "*2#", flow: shpo }')
      const found = await errors(text)
      const lineOf = (part: string) => text.split('\n').findIndex((line) => line.includes(part)) + 1
      for (const [line, words] of [
        [lineOf('standrad'), /there is no (dialect|profile).*standrad|standrad/],
        [lineOf('nowhere.mjs'), /cannot be loaded/],
        [lineOf('nosuch'), /there is no contract 'nosuch'/],
        [lineOf('shpo'), /there is no flow 'shpo'/],
      ] as const)
        assert.ok(
          found.some((one) => one.startsWith(`${line}: `) && words.test(one)),
          `${String(words)} at ${line}:\n${found.join('\n')}`,
        )
      assert.ok(found.some((one) => one.includes('/nowhere/token')))
      assert.ok(found.some((one) => one.includes('/nowhere/tokens')))
    })

    it('says what is wrong with settings that cannot be read at all, and of flows that call what is not there', async () => {
      assert.match((await errors(settings('nonsense: 1\n')))[0]!, /^9: .*nonsense/)
      const calls = PLAIN.replace('to: which }', 'to: ask }').replace(
        '  which:',
        '  ask: { call: bank.ask, once: false, to: which }\n  which:',
      )
      assert.match(
        (await errors(settings(''), calls))[0]!,
        /calls back end 'bank', but this daemon has no such back end/,
      )
    })
  })
})
