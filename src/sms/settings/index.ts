/** The settings of SMS: for a line, for the outbox, and for incoming SMS. The schema of the settings file uses them. */
export { incomingSchema, type SmsInSettings, smsOwner, unfinishedSubscribersMax } from './incoming.ts'
export { inertSettings, type SmsLine, smsSchema, type SmsSettings } from './line.ts'
export { type Reminders, remindersSchema } from './reminders.ts'
export { type OfService, serviceOfOwner } from './senders.ts'
export { fitsTemplate, smsTemplate, templateOf } from './templates.ts'
export { templateFault, vendorOctets, type VendorTlvs, vendorTlvs } from './vendor.ts'
