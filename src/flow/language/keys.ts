/** What may be pressed or typed on a screen besides its numbers: keys for `Back` and `Home`, and labels. */
import type { Keys } from '../plan/index.ts'
import type { ScreenDefinition } from '../screens/index.ts'
import { asks, type FlowDefinition } from './definition.ts'

/** The flow's keys, unless the screen has its own. */
export function keysOn(definition: FlowDefinition, screen: ScreenDefinition): Keys {
  const own = 'keys' in screen ? screen.keys : undefined
  if (own === false) return {}
  const key = (name: 'back' | 'home') => {
    const written = own?.[name] ?? definition.keys?.[name]
    return written === false ? undefined : written
  }
  return { back: key('back'), home: key('home') }
}

/** Whether any screen of the flow has a key. If none has, dialogues keep no trail. */
export function hasKeys(definition: FlowDefinition): boolean {
  return Object.values(definition.screens).some(
    (screen) => asks(screen) && Object.values(keysOn(definition, screen)).some(Boolean),
  )
}

/**
 * Whether the choices of this screen may be typed by their labels. In a list with a search, letters search for rows
 * instead.
 */
export function takesLabels(definition: FlowDefinition, screen: ScreenDefinition | undefined): boolean {
  if (!screen || !('choices' in screen) || ('search' in screen && screen.search)) return false
  return screen.labels ?? definition.labels ?? false
}
