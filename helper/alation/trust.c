/* SPDX-License-Identifier: MIT */
/*
 * Where certificates are looked for, and as text: two files behind one another. What is in them is OpenSSL's business.
 */
#include "helper/alation/trust.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX_BYTES (8 * 1024 * 1024) /* the system's has a quarter of one */

static const char *system_file(void)
{
	static const char *const usual[] = { "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem" };
#if LIBCURL_VERSION_NUM >= 0x074600
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

	if (info->age >= CURLVERSION_SEVENTH && info->cainfo && access(info->cainfo, R_OK) == 0)
		return info->cainfo;
#endif
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
		if (access(usual[i], R_OK) == 0)
			return usual[i];
	return NULL;
}

/* Behind what is there, and a line feed. 0, or an errno. */
static int append(const char *path, struct trust *trust)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), error = 0;
	struct stat st;
	char *more;
	ssize_t n;

	if (fd < 0)
		return errno;
	if (fstat(fd, &st) != 0)
		error = errno;
	else if (!S_ISREG(st.st_mode))
		error = EINVAL;
	else if (st.st_size > FILE_MAX_BYTES)
		error = EFBIG;
	more = error ? NULL : realloc(trust->pem, trust->len + (size_t)st.st_size + 2);
	if (!error && !more)
		error = ENOMEM;
	if (more)
		trust->pem = more;
	for (off_t left = error ? 0 : st.st_size; left > 0; left -= n) {
		do
			n = read(fd, trust->pem + trust->len, (size_t)left);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			error = errno;
		if (n <= 0)
			break;
		trust->len += (size_t)n;
	}
	close(fd);
	if (!error) {
		trust->pem[trust->len++] = '\n';
		trust->pem[trust->len] = '\0';
	}
	return error;
}

bool trust_read(const char *file, struct trust *ret_trust)
{
	const char *system = system_file(), *reason = NULL;
	size_t before;
	int error;

	*ret_trust = (struct trust){ .len = 0 };
	if (system && append(system, ret_trust) == ENOMEM)
		reason = strerror(ENOMEM);
	before = ret_trust->len;
	error = reason ? 0 : append(file, ret_trust);
	if (error)
		reason = error == EINVAL ? "it is no regular file" : strerror(error);
	else if (!reason && !strstr(ret_trust->pem + before, "CERTIFICATE-----"))
		reason = "there is no certificate in it (PEM)";
	if (reason)
		snprintf(ret_trust->detail, sizeof ret_trust->detail, "the ca-file %.180s cannot be used: %s", file, reason);
	return !reason;
}

static const char *variable(const char *value)
{
	return value && *value ? value : NULL;
}

void trust_choose(struct trust_choice *ret_choice)
{
	*ret_choice = (struct trust_choice){ .file = variable(secure_getenv("CURL_CA_BUNDLE")), .file_from = "CURL_CA_BUNDLE" };
	if (ret_choice->file)
		return;
	*ret_choice = (struct trust_choice){
		.file = variable(secure_getenv("SSL_CERT_FILE")), .file_from = "SSL_CERT_FILE",
		.folder = variable(secure_getenv("SSL_CERT_DIR")), .folder_from = "SSL_CERT_DIR",
	};
}

void trust_words(const struct alation_way *way, char *text, size_t room)
{
	const char *system = system_file();
	struct trust_choice choice;

	trust_choose(&choice);
	if (way->ca_file)
		snprintf(text, room, "ca-file (%.180s), beside the system's (%.180s)", way->ca_file, system ? system : "none");
	else if (choice.file || choice.folder)
		snprintf(text, room, "%s%s%.180s%s%s%s%s%.180s%s", choice.file ? choice.file_from : "", choice.file ? " (" : "", choice.file ? choice.file : "",
		         choice.file ? ")" : "", choice.file && choice.folder ? " and " : "", choice.folder ? choice.folder_from : "", choice.folder ? " (" : "",
		         choice.folder ? choice.folder : "", choice.folder ? ")" : "");
	else
		snprintf(text, room, "the system's (%.180s)", system ? system : "none");
}
