/**
 * A form becomes an input for each field, a menu that shows the answers, and behind each of its lines that field again.
 * So whatever holds for inputs and menus (check, walk, keys, deep dial, resume) holds for forms.
 */
import type { z } from 'zod'
import type { InputScreen, MenuScreen } from './definition.ts'
import { SCREENS } from './schema.ts'
import type { Expanded, ScreenType } from './screen-type.ts'
import type { Path } from './source.ts'

type Form = z.infer<(typeof SCREENS)['form']>

export const formScreen: ScreenType = {
  name: 'form',
  schema: SCREENS.form,
  expand: (name, screen) => screensOf(name, screen as Form),
}

function screensOf(name: string, form: Form): Record<string, Expanded> {
  const { fields, form: title, confirm, to, giveUp, back, keys } = form
  const nameOf = (i: number) => (i === 0 ? name : `${name}-${fields[i]?.as}`)
  const review = `${name}-review`
  const inputOf = (i: number, next: string): InputScreen => {
    const { label: _label, ...rules } = fields[i] as Form['fields'][number]
    return {
      kind: 'input',
      ...rules,
      to: next,
      ...(giveUp === undefined ? {} : { giveUp }),
      ...(keys === undefined ? {} : { keys }),
    }
  }
  const change = (i: number) => `${name}-change-${fields[i]?.as}`
  const menu: MenuScreen = {
    kind: 'menu',
    menu: title,
    ...(back === undefined ? {} : { back }),
    ...(keys === undefined ? {} : { keys }),
    choices: [
      { label: confirm, to },
      ...fields.map(({ as, label = `{answers.${as}}` }, i) => ({ label, to: change(i) })),
    ],
  }
  const input = (i: number, next: string): Expanded => ({
    screen: inputOf(i, next),
    place: (path) => inputPlace(path, i),
  })
  return Object.fromEntries([
    ...fields.map((_field, i) => [nameOf(i), input(i, i + 1 < fields.length ? nameOf(i + 1) : review)]),
    [review, { screen: menu, place: menuPlace }],
    ...fields.map((_field, i) => [change(i), input(i, review)]),
  ]) as Record<string, Expanded>
}

function inputPlace(path: Path, field: number): Path {
  const [key] = path
  return key === 'to' || key === 'giveUp' || key === 'keys' ? [key] : ['fields', field, ...path]
}

function menuPlace(path: Path): Path {
  const [key, which, ...rest] = path
  if (key === 'menu') return ['form']
  if (key !== 'choices') return path
  if (which === 0) return [rest[0] === 'to' ? 'to' : 'confirm']
  return ['fields', Number(which) - 1, ...rest]
}
