/** The settings of SMS: of a line, of the outbox, and of what subscribers write. The settings file is made of them. */
export { incomingSchema, type SmsInSettings } from './incoming.ts'
export { type SmsLine, smsSchema, type SmsSettings } from './line.ts'
export { type Reminders, remindersSchema } from './reminders.ts'
