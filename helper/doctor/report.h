/* SPDX-License-Identifier: MIT */
/*
 * The report's end; its beginning is doctor.h's findings.
 */
#ifndef HELPER_DOCTOR_REPORT_H
#define HELPER_DOCTOR_REPORT_H

#include "helper/doctor/doctor.h"

/* Writes what is not written yet, and makes the first FAIL the call's trouble. DONE: there is none. */
enum outcome report_end(struct doctor *doctor);

#endif
