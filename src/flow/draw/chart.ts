/** A flow as states and ways between them, worded for a reader: what every picture of it is drawn from. */
import { conditionWords } from '../expression/index.ts'
import { targetsOf, type FlowDefinition, type Kind, type ScreenDefinition } from '../language/index.ts'

export interface ChartState {
  name: string
  kind: Kind
  /** What it shows or does, in the flow's first language. */
  caption: string
  /** A dialogue ends here. */
  final: boolean
}

export interface ChartWay {
  from: string
  to: string
  /** What is pressed, answered or refused; '' where there is only one way on. */
  label: string
  path: (string | number)[]
}

export interface Chart {
  start: string
  states: ChartState[]
  ways: ChartWay[]
}

export function chartOf(definition: FlowDefinition): Chart {
  const screens = Object.entries(definition.screens)
  return {
    start: definition.start,
    states: screens.map(([name, screen]) => ({
      name,
      kind: screen.kind,
      caption: captionOf(screen, definition),
      final: screen.kind === 'end' || screen.kind === 'exit',
    })),
    ways: screens.flatMap(([from, screen]) =>
      targetsOf(screen).map(({ to, path }) => ({ from, to, label: labelOf(screen, path, definition), path })),
    ),
  }
}

function captionOf(screen: ScreenDefinition, definition: FlowDefinition): string {
  switch (screen.kind) {
    case 'call':
      if (screen.sms !== undefined) return `SMS: ${first(screen.sms, definition)}`
      return `${screen.call}${screen.once ? ' (once)' : ''}`
    case 'branch':
      return screen.over === undefined ? 'branch' : `branch over ${screen.over}`
    case 'set':
      return `set ${Object.keys(screen.set).join(', ')}`
    case 'exit':
      return 'exit'
    case 'menu':
      return first(screen.menu, definition)
    case 'list':
      return first(screen.list, definition)
    case 'input':
      return first(screen.input, definition)
    case 'notify':
      return first(screen.notify, definition)
    case 'end':
      return first(screen.end, definition)
  }
}

function labelOf(screen: ScreenDefinition, path: (string | number)[], definition: FlowDefinition): string {
  const [key, which] = path
  if (key === 'choices' && 'choices' in screen) return first(screen.choices[which as number]?.label ?? '', definition)
  if (key === 'branch' && screen.kind === 'branch') {
    const condition = screen.branch[which as number]?.if
    return condition === undefined ? '' : conditionWords(condition)
  }
  if (key === 'refused') return `refused ${String(which)}`
  if (key === 'giveUp') return 'too many wrong answers'
  return key === 'to' ? (screen.kind === 'list' ? 'a row' : '') : String(key)
}

/** The first line, in the first language. */
function first(text: string | Record<string, string>, definition: FlowDefinition): string {
  const words = typeof text === 'string' ? text : (text[definition.languages[0] as string] ?? '')
  return words.split('\n')[0] as string
}
