/** Back ends that a flow may call: over HTTP, an application's own contract, or a module in the daemon. */
export { appReplies, type AppReplies } from './app-replies.ts'
export { appBackend, type AppDeps } from './app.ts'
export { cached } from './cached.ts'
export { guard } from './guard.ts'
export { httpBackend } from './http.ts'
export { moduleBackend } from './module.ts'
export { type Backend, type BackendModule, type CallContext, type CallResult, type Patience, Refusal } from './types.ts'
