/** A flow as states and ways between them, with labels for a reader. Every picture of the flow is drawn from it. */
import { kindOf, targetsOf, type FlowDefinition, type Kind, type ScreenDefinition } from '../language/index.ts'

export interface ChartState {
  name: string
  kind: Kind
  /** What the state shows or does, in the flow's first language. */
  caption: string
  /** The dialogue ends here. */
  final: boolean
}

export interface ChartWay {
  from: string
  to: string
  /** What is pressed, answered or refused; '' if there is only one way on. */
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
      caption: kindOf(screen).caption(screen, (text) => first(text, definition)),
      final: kindOf(screen).does === 'end',
    })),
    ways: screens.flatMap(([from, screen]) =>
      targetsOf(screen).map(({ to, path }) => ({ from, to, label: labelOf(screen, path, definition), path })),
    ),
  }
}

function labelOf(screen: ScreenDefinition, path: (string | number)[], definition: FlowDefinition): string {
  const own = kindOf(screen).label?.(screen, path, (text) => first(text, definition))
  return own ?? (path[0] === 'to' ? '' : String(path[0]))
}

/** The first line of a text, in the first language. */
function first(text: string | Record<string, string>, definition: FlowDefinition): string {
  const words = typeof text === 'string' ? text : (text[definition.languages[0] as string] ?? '')
  return words.split('\n')[0] as string
}
