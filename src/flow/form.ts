/**
 * A form becomes an input for each field, a menu that shows the answers, and behind each of its lines that field again.
 * So whatever holds for inputs and menus (check, walk, keys, deep dial, resume) holds for forms.
 */
import type { z } from 'zod'
import type { Problem } from '../errors.ts'
import type { InputScreen, MenuScreen, WrittenScreen } from './definition.ts'
import type { SCREENS } from './schema.ts'
import type { Path, Yaml } from './source.ts'

type Form = z.infer<(typeof SCREENS)['form']>

/** Where a screen that nobody wrote as such stands in the file. */
interface Origin {
  form: string
  /** The field, by its number; undefined: the page that shows them all. */
  field?: number
}

/** The screens with forms laid out, and the places of what they became. `screens` is undefined where one was broken. */
export function layForms(
  written: Record<string, WrittenScreen>, yaml: Yaml, problems: Problem[],
): { screens: Record<string, WrittenScreen>; yaml: Yaml } {
  const screens: Record<string, WrittenScreen> = {}
  const origins = new Map<string, Origin>()
  for (const [name, screen] of Object.entries(written)) {
    const form = screen as unknown as (Form & { kind: string }) | undefined
    if (form?.kind !== 'form') {
      screens[name] = screen
      continue
    }
    for (const [made, { screen: laid, ...origin }] of screensOf(name, form)) {
      const clash = made !== name && (Object.hasOwn(written, made) || origins.has(made))
      const what = `form '${name}' has a screen '${made}' of its own`
      if (clash) problems.push({ where: yaml.at(['screens', name]), what, remedy: 'rename the other' })
      screens[made] = laid
      origins.set(made, origin)
    }
  }
  const where = (path: Path) => placeOf(path, origins)
  return { screens, yaml: { ...yaml, at: (path) => yaml.at(where(path)), keyAt: (path) => yaml.keyAt(where(path)) } }
}

type Made = [name: string, made: Origin & { screen: WrittenScreen }]

function screensOf(name: string, form: Form): Made[] {
  const { fields, form: title, confirm, to, giveUp, back, keys } = form
  const nameOf = (i: number) => (i === 0 ? name : `${name}-${fields[i]?.as}`)
  const review = `${name}-review`
  const inputOf = (i: number, next: string): InputScreen => {
    const { label: _label, ...rules } = fields[i] as Form['fields'][number]
    return { kind: 'input', ...rules, to: next, ...(giveUp === undefined ? {} : { giveUp }), ...(keys === undefined ? {} : { keys }) }
  }
  const change = (i: number) => `${name}-change-${fields[i]?.as}`
  const menu: MenuScreen = {
    kind: 'menu', menu: title, ...(back === undefined ? {} : { back }), ...(keys === undefined ? {} : { keys }),
    choices: [
      { label: confirm, to },
      ...fields.map(({ as, label = `{answers.${as}}` }, i) => ({ label, to: change(i) })),
    ],
  }
  return [
    ...fields.map((_field, field): Made =>
      [nameOf(field), { form: name, field, screen: inputOf(field, field + 1 < fields.length ? nameOf(field + 1) : review) }]),
    [review, { form: name, screen: menu }],
    ...fields.map((_field, field): Made => [change(field), { form: name, field, screen: inputOf(field, review) }]),
  ]
}

/** Where it stands in the form as it is written. */
function placeOf(path: Path, origins: ReadonlyMap<string, Origin>): Path {
  const [root, name, key, which, ...rest] = path
  const origin = root === 'screens' ? origins.get(String(name)) : undefined
  if (!origin) return path
  const form = ['screens', origin.form]
  if (origin.field !== undefined)
    return key === 'to' || key === 'giveUp' || key === 'keys' ? [...form, key] : [...form, 'fields', origin.field, ...path.slice(2)]
  if (key === 'menu') return [...form, 'form']
  if (key !== 'choices') return path.length < 3 ? form : [...form, ...path.slice(2)]
  if (which === 0) return rest[0] === 'to' ? [...form, 'to'] : [...form, 'confirm']
  return [...form, 'fields', Number(which) - 1, ...rest]
}
