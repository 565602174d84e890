/** `ussd-connector/plugin`: the types for an operator's own modules and screen types, and helpers without state. */
export { defineBackend, defineScreenType, preparedSql } from './define.ts'
export {
  type BackendFactory,
  type BackendModule,
  type CallContext,
  type DeclaredOperation,
  type ModuleDeps,
  type ModulePurge,
  type ModulePurged,
  type PersonalTable,
  Refusal,
  type ModuleSeed,
  type SettingsSchema,
  type SubscriberData,
} from './module.ts'
export type { PluginType, ScreenPlugin, ScreenTerms } from './screens.ts'
export type {
  EnqueueSms,
  ModuleSms,
  ModuleSmsRequest,
  NewSms,
  QuietHours,
  ReminderRule,
  ReminderSettings,
  SmsPlanning,
  SmsReplied,
  SmsReplies,
  SmsReply,
} from './sms.ts'
export type { ModuleDatabase, SqlOptions, SqlPort } from './sql.ts'
export { isoIn, type Log, repeating, showDate, showTime, type SqlBindings, sqlState } from '../base/index.ts'
export type { Chance, Clock, EndReason, Json, JsonObject } from '../ussd/index.ts'
