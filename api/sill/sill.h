/* SPDX-License-Identifier: MIT */
/*
 * <sill/sill.h>: all of the interface. Read in this order:
 *
 *   error.h      every way in which a call can fail
 *   time.h       the clock, deadlines, sleep
 *   task.h       run, spawn, await, cancel
 *   trigger.h    suspend and resume
 *   scope.h      tasks with one lifetime
 *   address.h    where things are
 *   stream.h     ordered bytes; reader.h: by lines and pieces
 *   listener.h   hands out streams; service.h: and serves them
 *   datagram.h   messages with edges
 *   watch.h      somebody else's descriptor
 *   random.h     bytes that nobody can foresee
 *   hooks.h      memory and log
 *
 * guest.h, for programs that run a loop of their own, and stream_ops.h, for
 * those who make streams of their own, are apart.
 */
#ifndef SILL_SILL_H
#define SILL_SILL_H

#include <sill/address.h>
#include <sill/datagram.h>
#include <sill/error.h>
#include <sill/hooks.h>
#include <sill/listener.h>
#include <sill/random.h>
#include <sill/reader.h>
#include <sill/scope.h>
#include <sill/service.h>
#include <sill/stream.h>
#include <sill/task.h>
#include <sill/time.h>
#include <sill/trigger.h>
#include <sill/watch.h>

#endif
