#pragma once

#include <dmq/sqs/access_operations.hpp>
#include <dmq/sqs/message_operations.hpp>
#include <dmq/sqs/move_operations.hpp>
#include <dmq/sqs/queue_operations.hpp>

/// The operations of SQS, one struct each: its fields, how it writes its request and reads its answer, whether it may
/// be repeated after a lost answer, and where it has rules of its own, check(), which is asked before anything is sent.
/// sqs::Client and Consumer perform them. All are pure.
