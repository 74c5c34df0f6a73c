#pragma once

#include <utility>

#include <dmq/crypto/random_ids.hpp>
#include <dmq/publish_settings.hpp>

namespace dmq::inline DMQ_ABI {

namespace detail {
/// What publishing needs and was not set.
inline Result<PublishSettings> complete(PublishSettings settings) {
  if (!settings.new_id) settings.new_id = crypto::RandomIds();
  if (Result<void> ok = check(settings); !ok) return std::move(ok).error();
  return settings;
}
}  // namespace detail

}  // namespace dmq::inline DMQ_ABI
