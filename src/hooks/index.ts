/** Web-hooks: applications are told what became of their SMS. */
export { createHooks, type Hooks } from './hooks.ts'
export { hookSender, type HookSettings } from './sender.ts'
