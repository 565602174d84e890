/**
 * A flow as the JSON of an XState machine, for tools that draw, walk or simulate statecharts. It has the states and
 * ways of the flow. A branch is `always` with the guard `condition`, whose `if` is the text in the flow.
 */
import { chartOf, type ChartState, type ChartWay } from './chart.ts'
import { type FlowDefinition, kindOf, type ScreenDefinition } from '../language/index.ts'

/** Pass it to `createMachine(config, { guards: { condition: (_, { if }) => … } })`. */
export function xstateJson(definition: FlowDefinition): object {
  const { start, states, ways } = chartOf(definition)
  return {
    id: definition.flow,
    initial: start,
    meta: { languages: definition.languages },
    states: Object.fromEntries(
      states.map((state) => [
        state.name,
        stateOf(
          state,
          definition.screens[state.name]!,
          ways.filter(({ from }) => from === state.name),
        ),
      ]),
    ),
  }
}

function stateOf(state: ChartState, screen: ScreenDefinition, ways: readonly ChartWay[]): object {
  const { kind, caption } = state
  const said = { description: caption, tags: [kind], meta: { kind } }
  if (state.final) return { ...said, type: 'final' }
  const { does, guard } = kindOf(screen)
  if (does !== 'pass') return { ...said, on: eventsOf(screen, ways) }
  return {
    ...said,
    always: ways.map(({ to: target, path }) => {
      const params = guard?.(screen, path)
      return params ? { target, guard: { type: 'condition', params } } : { target }
    }),
  }
}

/** `choose Exit`, `a row`, `back`, `answered`, `refused slot-taken`: what is pressed, typed or answered. */
function eventsOf(screen: ScreenDefinition, ways: readonly ChartWay[]): Record<string, { target: string }> {
  const events: Record<string, { target: string }> = {}
  for (const { to: target, label, path } of ways) {
    const event =
      path[0] === 'choices' ? `choose ${label}` : label || (kindOf(screen).does === 'tell' ? 'shown' : 'answered')
    // Of choices with the same text, a machine can only tell the first.
    events[event] ??= { target }
  }
  return events
}
