#include <curl/curl.h>
#include <regex>
