/** The back ends that flows may call: over HTTP, applications, modules, and the daemon's own. */
export { appFlows, contractOfApp, servicesOf } from './apps.ts'
export { createBackends, type Backends, type BackendsChange } from './backends.ts'
export { ownerOf, requestOf, smsBackend, smsCallable, wrongWords } from './flow-sms.ts'
export { languageLookup, subscriberBackend } from './languages.ts'
export {
  absentSamples,
  configuredModules,
  declaredBy,
  isCodeOld,
  loadModule,
  type LoadedModule,
  type ModuleHost,
} from './modules.ts'
