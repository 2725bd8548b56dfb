# SPDX-License-Identifier: Apache-2.0
"""What `cupel inspect --json` says, under the names that the vectors' INDEX.json has for it."""
import hashlib

PRODUCTS = {"Milan", "Genoa", "Turin"}


def number(text):
    return int(text, 16)


def little_endian(text, size):
    """A number as the bytes that it was read from, in hexadecimal."""
    return number(text).to_bytes(size, "little").hex()


def common_name(name):
    return dict(part.split("=", 1) for part in name.split(",") if "=" in part).get("CN", "")


def time(text):
    return text.replace("Z", "+00:00")


def bits(field, names):
    return {key: int(field[name]) for key, name in names.items()}


def tcb(field):
    names = {"fmc": "FMC", "bootloader": "BOOT_LOADER", "tee": "TEE", "snp": "SNP", "microcode": "MICROCODE"}
    return {key: field[name] for key, name in names.items() if name in field}


def snp_report(f):
    policy, platform, flags = f["POLICY"], f["PLATFORM_INFO"], f["flags"]
    facts = {
        "version": f["VERSION"], "guest_svn": f["GUEST_SVN"], "policy": policy["value"],
        "abi_minor": policy["ABI_MINOR"], "abi_major": policy["ABI_MAJOR"],
        "policy_reserved_bit17": number(policy["value"]) >> 17 & 1,
        "policy_bits": bits(policy, {
            "smt": "SMT", "migrate_ma": "MIGRATE_MA", "debug": "DEBUG", "single_socket": "SINGLE_SOCKET",
            "cxl_allow": "CXL_ALLOW", "mem_aes_256_xts": "MEM_AES_256_XTS", "rapl_dis": "RAPL_DIS",
            "ciphertext_hiding_dram": "CIPHERTEXT_HIDING_DRAM", "page_swap_disable": "PAGE_SWAP_DISABLE"}),
        "debug": policy["DEBUG"], "family_id": f["FAMILY_ID"], "image_id": f["IMAGE_ID"], "vmpl": f["VMPL"],
        "signature_algo": f["SIGNATURE_ALGO"], "platform_info": platform["value"],
        "platform_info_bits": bits(platform, {
            "smt_en": "SMT_EN", "tsme_en": "TSME_EN", "ecc_en": "ECC_EN", "rapl_dis": "RAPL_DIS",
            "ciphertext_hiding_dram_en": "CIPHERTEXT_HIDING_DRAM_EN", "alias_check_complete": "ALIAS_CHECK_COMPLETE",
            "tio_en": "TIO_EN"}),
        "flags": flags["value"], "author_key_en": int(flags["AUTHOR_KEY_EN"]),
        "mask_chip_key": int(flags["MASK_CHIP_KEY"]), "signing_key": flags["SIGNING_KEY"],
        "report_data": f["REPORT_DATA"]["value"], "measurement": f["MEASUREMENT"], "host_data": f["HOST_DATA"],
        "id_key_digest": f["ID_KEY_DIGEST"], "author_key_digest": f["AUTHOR_KEY_DIGEST"],
        "report_id": f["REPORT_ID"], "report_id_ma": f["REPORT_ID_MA"], "chip_id": f["CHIP_ID"],
        "chip_id_masked": number(f["CHIP_ID"]) == 0, "current_fw": f["CURRENT_VERSION"]["value"],
        "committed_fw": f["COMMITTED_VERSION"]["value"],
    }
    for name in ("current", "reported", "committed", "launch"):
        field = f[f"{name.upper()}_TCB"]
        facts[f"{name}_tcb_raw"], facts[f"{name}_tcb"] = field["value"], tcb(field)
    if "CPUID_FAM_ID" in f:
        facts["cpuid"] = {"family": number(f["CPUID_FAM_ID"]), "model": number(f["CPUID_MOD_ID"]),
                          "stepping": number(f["CPUID_STEP"])}
        facts["product_from_cpuid"] = f["product"]
    for name in ("LAUNCH_MIT_VECTOR", "CURRENT_MIT_VECTOR"):
        if name in f:
            facts[name.lower()] = f[name]
    return facts


def vek(f):
    """Of a VCEK or VLEK certificate."""
    own = f["extensions"]
    names = {"fmc": "fmcSPL", "bootloader": "blSPL", "tee": "teeSPL", "snp": "snpSPL", "microcode": "ucodeSPL"}
    subject = common_name(f["subject"])
    facts = {
        "vek_subject_cn": subject, "vek_issuer_cn": common_name(f["issuer"]),
        "vek_struct_version": own["structVersion"], "vek_product_name": own["productName"],
        "vek_tcb": {key: own[name] for key, name in names.items() if name in own}, "vek_hwid": own.get("hwID"),
        "vek_serial": number(f["serialNumber"]), "vek_not_before": time(f["notBefore"]),
        "vek_not_after": time(f["notAfter"]), "vek_kind": {"SEV-VCEK": "VCEK", "SEV-VLEK": "VLEK"}.get(subject),
        "product_from_vek": own["productName"].split("-")[0].split("_")[0],
    }
    if "cspID" in own:
        facts["vek_csp_id"] = own["cspID"]
    return facts


def enclave(f):
    return {"cpu_svn": f["CPUSVN"], "misc_select": f["MISCSELECT"], "attributes": f["ATTRIBUTES"]["value"],
            "mr_enclave": f["MRENCLAVE"], "mr_signer": f["MRSIGNER"], "isv_prod_id": f["ISVPRODID"],
            "isv_svn": f["ISVSVN"], "report_data": f["REPORTDATA"]["value"]}


def trust_domain(f):
    attributes = f["TDATTRIBUTES"]
    facts = {
        "tee_tcb_svn": f["TEE_TCB_SVN"], "mr_seam": f["MRSEAM"], "mr_signer_seam": f["MRSIGNERSEAM"],
        "seam_attributes": little_endian(f["SEAMATTRIBUTES"], 8),
        "td_attributes": little_endian(attributes["value"], 8), "xfam": little_endian(f["XFAM"], 8),
        "mr_td": f["MRTD"], "mr_config_id": f["MRCONFIGID"], "mr_owner": f["MROWNER"],
        "mr_owner_config": f["MROWNERCONFIG"], "report_data": f["REPORTDATA"]["value"],
        "td_debug": attributes["DEBUG"], "td_sept_ve_disable": attributes["SEPT_VE_DISABLE"],
        "td_pks": attributes["PKS"], "td_kl": attributes["KL"], "td_perfmon": attributes["PERFMON"],
    }
    facts.update({f"rtmr{index}": f[f"RTMR{index}"] for index in range(4)})
    if "MRSERVICETD" in f:
        facts.update(tee_tcb_svn2=f["TEE_TCB_SVN_2"], mr_service_td=f["MRSERVICETD"])
    return facts


def quote(f):
    header, data = f["header"], f["signature data"]
    start, report = data["offset"], data["QE report offset"]
    facts = {
        "version": header["version"], "att_key_type": header["attestation key type"], "tee_type": header["TEE type"],
        "qe_vendor_id": header["QE vendor id"], "user_data": header["user data"], "body_type": f["body type"],
        "signed_region": [0, f["signed bytes"]], "signature_data_offset": start, "signature_data_len": data["size"],
        "trailing_len": f["padding"]["size"], "trailing_all_zero": f["padding"]["all zero"],
        "qe_auth_data_len": len(data["QE authentication data"]) // 2,
        "pck_cert_data_type": data["certification data type"], "att_pub_key": data["attestation key"],
        "offsets": {"quote_sig": start, "att_key": start + 64, "qe_report": report, "qe_report_sig": report + 384},
        "qe_report": enclave(data["QE report"]),
    }
    if "body size" in f:
        facts["body_descriptor"] = {"type": f["body descriptor type"], "size": f["body size"]}
    if f["body type"] == "SGX":
        facts.update(enclave=enclave(f["body"]), sgx_debug=f["body"]["ATTRIBUTES"]["DEBUG"])
    else:
        facts.update(trust_domain(f["body"]))
    if "malformed" in data["certification data"]:
        return {**facts, "pck_chain_parse_error": True}
    return {**facts, **pck(data["certification data"])}


def pck(chain):
    leaf = chain[0]
    own = leaf["extensions"]["SGX Extensions"]
    levels = own["TCB"]
    return {
        "pck_chain_cns": [common_name(certificate["subject"]) for certificate in chain],
        "pck_root_spki_sha256": chain[-1]["subjectPublicKeyInfo"]["SHA-256"],
        "pck_not_after": time(leaf["notAfter"]), "pck_not_before": time(leaf["notBefore"]),
        "pck_serial": f"{number(leaf['serialNumber']):x}", "pck_ppid": own["PPID"],
        "pck_tcb_comps": [levels[f"SGX TCB Comp{index:02} SVN"] for index in range(1, 17)],
        "pck_pcesvn": levels["PCESVN"], "pck_cpusvn": levels["CPUSVN"], "pck_pceid": own["PCE-ID"],
        "pck_fmspc": own["FMSPC"], "fmspc": own["FMSPC"],
    }


def collateral(f):
    tcb_info, identity = f["tcb_info"], f["qe_identity"]
    return {
        "fmspc": tcb_info["fmspc"].lower(), "tcb_id": tcb_info["id"],
        "tcb_eval_number": tcb_info["tcbEvaluationDataNumber"], "tcb_issue": tcb_info["issueDate"],
        "tcb_next": tcb_info["nextUpdate"], "qe_id": identity["id"], "qe_issue": identity["issueDate"],
        "qe_next": identity["nextUpdate"], "root_crl_next": time(f["root_ca_crl"]["nextUpdate"]),
        "root_crl_revoked": f["root_ca_crl"]["revoked"], "pck_crl_next": time(f["pck_crl"]["nextUpdate"]),
        "pck_crl_revoked": f["pck_crl"]["revoked"],
    }


def attest(f, size):
    """`size` is what the message has; trailing bytes would have been refused."""
    clock = f["clockInfo"]
    facts = {
        "magic": f"0x{number(f['magic']):08x}", "type": f"0x{number(f['type']):04x}",
        "qualified_signer": f["qualifiedSigner"], "extra_data": f["extraData"]["value"], "clock": clock["clock"],
        "reset_count": clock["resetCount"], "restart_count": clock["restartCount"], "safe": int(clock["safe"]),
        "firmware_version": f"0x{number(f['firmwareVersion']):016x}", "magic_ok": f["magic"] == "0xff544347",
        "is_quote": f["type"] == "0x8018",
    }
    if facts["is_quote"]:
        facts["trailing_len"] = 0
        facts["pcr_select"] = [{"alg": s["hash"], "pcrs": s["pcrSelect"]} for s in f["attested"]["pcrSelect"]]
        facts["pcr_digest"] = f["attested"]["pcrDigest"]
    else:
        facts["trailing_len"] = len(f["attested"]) // 2
    return facts


def signature(f):
    return {"sig_alg": f["sigAlg"], "sig_hash": f["hash"], "sig_trailing": 0}


def hcl(f, size):
    data, runtime = f["igvm_request_data"], f["variable_data"]
    facts = {
        "hcl_signature": f["signature"], "hcl_version": f["version"], "hcl_report_size": f["report_size"],
        "hcl_request_type": f["request_type"], "hcl_status": f["status"], "total_len": size,
        "igvm": {"data_size": data["data_size"], "version": data["version"], "report_type": data["report_type"],
                 "hash_type": {"SHA256": 1, "SHA384": 2, "SHA512": 3}[data["hash_type"]],
                 "variable_data_size": data["variable_data_size"]},
        "report_kind": {2: "SNP", 4: "TDX"}[data["report_type"]], "var_data_sha256": f["variable_data_digest"],
        "var_data_len": data["variable_data_size"],
    }
    if "malformed" in runtime:
        return {**facts, "runtime_json_error": "malformed"}
    key = next(key for key in runtime["keys"] if key["kid"] == "HCLAkPub")
    user = runtime["user-data"]
    facts.update(
        runtime_keys=[key["kid"] for key in runtime["keys"]],
        ak_n_sha256=hashlib.sha256(bytes.fromhex(key["n"])).hexdigest(), ak_bits=key["bits"], ak_e=number(key["e"]),
        user_data=user and user["value"], vm_configuration=runtime["vm-configuration"],
        ak_spki_sha256=key["SubjectPublicKeyInfo SHA-256"])
    return facts


def hardware(f, size):
    """Of an HCL report: itself, and the hardware's report in it."""
    facts = {"hcl": hcl(f, size)}
    report = f["hardware_report"]
    if facts["hcl"]["report_kind"] == "SNP":
        facts["snp"] = snp_report(report)
        bound = report["REPORT_DATA"]["value"]
    else:
        bound = report["REPORTDATA"]["value"]
        facts["tdreport_mrtd"] = report["MRTD"]
        facts["tdreport_report_data_bound"] = bound == facts["hcl"]["var_data_sha256"] + "00" * 32
    facts["runtime_data_bound_to_report_data"] = bound == facts["hcl"]["var_data_sha256"] + "00" * 32
    return facts


def azure(f):
    """Of Azure's evidence without its envelope."""
    report = f.get("hcl_report", f.get("report"))
    size = 1236 + report["igvm_request_data"]["variable_data_size"] + report["padding"]["size"]
    facts = hardware(report, size)
    if "vcek" in f:
        facts["snp"].update(vek(f["vcek"]))
    if "td_quote" in f:
        facts["tdx"] = quote(f["td_quote"])
        facts["tdreport_matches_quote"] = facts["tdx"]["mr_td"] == facts["tdreport_mrtd"]
        facts["runtime_data_bound_to_report_data"] = (
            facts["tdx"]["report_data"] == facts["hcl"]["var_data_sha256"] + "00" * 32)
    message = f.get("tpm_quote", f.get("quote"))["message"]
    facts["tpm"] = attest(message, None)
    signed = bytes.fromhex(message["extraData"]["value"])
    if signed.isascii():
        facts["extra_data_ascii"] = signed.decode()
    return facts
