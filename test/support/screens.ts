/** The sample service's screens, to the letter, at the frozen clock of 1 May 2025 with its seed data. */

export const T1 = `Welcome, John!
1. Check Appointments
2. Book New Appointment
3. Cancel Appointment
4. Exit`
export const T1_MARY = T1.replace('John', 'Mary')
export const T2 = `Your Dental Appointments:
1. Cleaning (10/03/2025, Koki Dental Clinic - Done)
2. Checkup (15/05/2025, Gerehu Dental Clinic - Upcoming)
3. Back`
export const T3 = `No appointments found.
1. Book New Appointment
2. Exit`
export const T4 = `Select Appointment Type:
1. Cleaning
2. Checkup
3. Filling
4. Back`
export const T5 = `Available Checkup Slots:
1. Koki Dental Clinic (10/05/2025, 9 AM)
2. Gerehu Dental Clinic (12/05/2025, 2 PM)
3. Back`
export const T6 = `Book Checkup at Koki Dental Clinic, 10/05/2025, 9 AM?
1. Confirm
2. Cancel`
export const T7 = `Appointment confirmed! You'll get an SMS reminder.
1. Back to Main Menu`
export const T8 = `Select Appointment to Cancel:
1. Checkup (15/05/2025, Gerehu Dental Clinic)
2. Back`
export const T9 = `No upcoming appointments to cancel.
1. Book New Appointment
2. Exit`
export const T10 = `Cancel Checkup on 15/05/2025 at Gerehu Dental Clinic?
1. Confirm
2. Back`
export const T11 = `Appointment cancelled successfully!
1. Back to Main Menu`
export const T12 = `Invalid choice. Please try again:
1. Check Appointments
2. Book New Appointment
3. Cancel Appointment
4. Exit`
export const T13 = `Welcome! No profile found.
1. Register (Enter Name)
2. Exit`
export const FAREWELL = 'Thank you. Goodbye.'
