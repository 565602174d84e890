/** The commands of a flow's author, as they are typed. */
import assert from 'node:assert/strict'
import { Command } from 'commander'
import { registerCheck } from '../../src/cli/commands/check.ts'
import { registerDraw } from '../../src/cli/commands/draw.ts'
import { registerFlow } from '../../src/cli/commands/flow.ts'
import { registerImport } from '../../src/cli/commands/import.ts'

const typed = async (...words: string[]) => {
  const said: string[] = []
  const program = new Command('ussd-connector').exitOverride()
  for (const register of [registerCheck, registerFlow, registerImport, registerDraw])
    register(program, (text) => said.push(text))
  await program.parseAsync(words, { from: 'user' })
  return { said, help: program.helpInformation() }
}

describe('the commands for flows', () => {
  it('draw a flow by both spellings, of which the help tells one', async () => {
    const [short, long] = [
      await typed('draw', 'flows/reminder.yaml'),
      await typed('flow', 'draw', 'flows/reminder.yaml'),
    ]
    assert.match(short.said.join('\n'), /^stateDiagram-v2\n/)
    assert.deepEqual(short.said, long.said)
    assert.doesNotMatch(short.help, /^ {2}(draw|import)\b/m)
    assert.match(short.help, /^ {2}flow /m)
  })

  it('import a journey by both spellings', async () => {
    for (const words of [['import'], ['flow', 'import']])
      await assert.rejects(typed(...words, 'no-such.yaml'), { message: 'there is no file no-such.yaml' })
  })

  it('say of a file that is no flow what it is, as a shell hands them over with *', async () => {
    await assert.rejects(typed('check', 'flows/dental.talk'), {
      message: 'flows/dental.talk is not a flow file: give a .yaml file, or a folder for all in it',
    })
    await assert.rejects(typed('check', 'flows/dental.tpi.yaml'), {
      message: 'flows/dental.tpi.yaml is a translation catalogue: give its flow flows/dental.yaml',
    })
    assert.match((await typed('check', 'flows/language.yaml')).said.join('\n'), /language: good/)
  })
})
