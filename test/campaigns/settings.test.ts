import assert from 'node:assert/strict'
import { parseSettings } from '../../src/config/load.ts'
import { SETTINGS } from '../simulation/stage.ts'
import {
  changedSettings,
  missedBy,
  noteSettings,
  REASONS,
  reasonFor,
  sourceAt,
  takeNoted,
  type Pace,
} from './settings.ts'

function settingsAt(pace: Pace) {
  const lines = [
    { name: 'test', smsc: { host: '127.0.0.1', port: 1, systemId: 'a', password: 'b' }, sms: { source: '123' } },
  ]
  const services = [{ code: '*123#', flow: 'dental' }]
  const places = { lines, services, redis: 'embedded', postgres: { url: 'postgres://a' }, flows: { dir: 'flows' } }
  return parseSettings(sourceAt(pace, places), 'test', {}).settings
}

describe('the settings of a campaign', () => {
  it('are the defaults in a long run, but for what no run can do without', () => {
    assert.deepEqual([...changedSettings(settingsAt('defaults')).keys()], ['reminders.leads', 'reminders.quietHours'])
  })
  it('of a short run are found by comparing, with those that a campaign changes itself', () => {
    const settings = settingsAt('short')
    settings.dialogue.openMax = 7
    const changed = changedSettings(settings)
    assert.equal(changed.get('dialogue.leaseMs'), '600')
    assert.equal(changed.get('lines[].timers.reconnectMs'), '100')
    assert.equal(changed.get('dialogue.openMax'), '7')
    assert.equal(changed.has('dialogue.duplicateBeginMs'), false)
  })
  it('that nobody says a reason for are refused', () => {
    const settings = settingsAt('short')
    settings.dialogue.takeoversMax = 1
    assert.throws(() => changedSettings(settings), /dialogue\.takeoversMax: say why/)
  })
  it('are noted once for each campaign', () => {
    takeNoted()
    noteSettings(settingsAt('defaults'))
    assert.equal(takeNoted()[0], 'reminders.leads ["24h"]')
    assert.deepEqual(takeNoted(), [])
  })
  it('tell what a run with them does not see, each once, and nothing of those that hide nothing', () => {
    assert.deepEqual(missedBy(['reminders.leads ["24h"]', 'lines[].timers.reconnectMs 10', 'log.level "trace"']), [
      'a second lead',
      'what happens while a lost link waits to be bound again',
    ])
    assert.equal(missedBy(['lines[].timers.reconnectMs 10', 'lines[].timers.pduReadMs 200']).length, 1)
  })
  it('of the simulation have their reasons, too, and each reason is of a setting that there is', () => {
    assert.ok(changedSettings(SETTINGS).size > 5)
    const all = new Set([...changedSettings(SETTINGS), ...changedSettings(settingsAt('short'))].map(([path]) => path))
    for (const path of all) assert.ok(reasonFor(path), path)
    for (const { why, misses } of Object.values(REASONS)) assert.ok(why && misses)
  })
})
