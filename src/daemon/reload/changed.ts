/** Which settings differ between those in force and those of the file, by the rows of ways.ts. */
import type { SettingTaken, SettingWaiting } from '../../admin/index.ts'
import type { Settings } from '../../config/index.ts'
import { reloadWayOf, type WayRow } from './ways.ts'

export interface ChangedSettings {
  taken: SettingTaken[]
  needRestart: SettingWaiting[]
}

/** Lines are not in it: what becomes of each is told by its name. */
export function changedSettings(before: Settings, after: Settings): ChangedSettings {
  const [old, next] = [valuesOf(before), valuesOf(after)]
  const changed: ChangedSettings = { taken: [], needRestart: [] }
  for (const [setting, { row }] of new Map([...old, ...next])) {
    if (old.get(setting)?.value === next.get(setting)?.value) continue
    const why = whyAtStart(setting, before, after)
    if (why) changed.needRestart.push({ setting, why })
    else if (row.way === 'restart') changed.needRestart.push({ setting, why: row.why })
    else {
      const what = !old.has(setting) ? 'added' : next.has(setting) ? 'changed' : 'removed'
      changed.taken.push({ setting, what, way: row.way, why: row.why })
    }
  }
  return changed
}

/** What cannot begin, or end, while the daemon runs, though a change of it is taken. */
function whyAtStart(setting: string, before: Settings, after: Settings): string | undefined {
  const store = /^(redis|postgres)\.tls\b/.exec(setting)?.[1] as 'redis' | 'postgres' | undefined
  const hasTls = (settings: Settings) => store !== undefined && settings[store] !== 'embedded' && !!settings[store].tls
  if (hasTls(before) !== hasTls(after)) return 'TLS begins and ends with the daemon'
  if (!setting.startsWith('door.token')) return undefined
  if (!before.door !== !after.door) return 'its port is opened at the start'
  const asks = ({ door }: Settings) => door !== undefined && (door.tokenFile !== undefined || door.tokens.length > 0)
  return asks(before) ? undefined : 'a door that is open to everybody asks for tokens from the start on only'
}

/** Its password comes from a file, which is read for each connection. */
function withoutPassword(postgres: Settings['postgres']): Settings['postgres'] {
  if (postgres === 'embedded' || postgres.passwordFile === undefined) return postgres
  const url = new URL(postgres.url)
  url.password = ''
  return { ...postgres, url: url.toString() }
}

type Values = Map<string, { row: WayRow; value: string }>

/** By setting as it is told: a back end and an application by name, a service by code, the others key by key. */
function valuesOf({ lines: _lines, services, ...others }: Settings): Values {
  const values: Values = new Map()
  const add = (setting: string, row: WayRow, value: unknown) =>
    void values.set(setting, { row, value: JSON.stringify(value) })
  for (const { code, lines, ...what } of services)
    add(`services ${code}${lines ? ` on ${lines.join(', ')}` : ''}`, reloadWayOf('services')!, what)
  for (const group of ['backends', 'apps'] as const)
    for (const [name, how] of Object.entries(others[group])) add(`${group}.${name}`, reloadWayOf(`${group}.NAME`)!, how)
  const { backends: _backends, apps: _apps, postgres, ...rest } = others
  for (const [setting, value] of leavesOf({ ...rest, postgres: withoutPassword(postgres) }, ''))
    add(setting, reloadWayOf(setting)!, value)
  return values
}

function leavesOf(value: unknown, at: string): [string, unknown][] {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    return value === undefined ? [] : [[at, value]]
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, at === '' ? key : `${at}.${key}`))
}
