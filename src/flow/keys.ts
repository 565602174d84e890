/** Which keys for `Back` and `Home` are in force on a screen. */
import { asks, type FlowDefinition, type ScreenDefinition } from './definition.ts'

export interface Keys {
  back?: string | undefined
  home?: string | undefined
}

/** The flow's keys, with what the screen says instead. */
export function keysOn(definition: FlowDefinition, screen: ScreenDefinition): Keys {
  const own = 'keys' in screen ? screen.keys : undefined
  if (own === false) return {}
  const key = (name: 'back' | 'home') => {
    const written = own?.[name] ?? definition.keys?.[name]
    return written === false ? undefined : written
  }
  return { back: key('back'), home: key('home') }
}

/** Whether any screen of the flow has a key; without one, nothing is remembered for them. */
export function hasKeys(definition: FlowDefinition): boolean {
  return Object.values(definition.screens).some((screen) => asks(screen) && Object.values(keysOn(definition, screen)).some(Boolean))
}
