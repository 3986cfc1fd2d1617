namespace ControlPlane.DriverLinux;

/// <summary>MAC addresses in the form that the kernel prints: lower case with colons.</summary>
static class MacText
{
    public static string? Canonical(string text)
    {
        string[] parts = text.Split(':', '-');
        return parts.Length == 6
            && parts.All(part => part.Length == 2 && part.All(char.IsAsciiHexDigit))
            ? string.Join(':', parts).ToLowerInvariant()
            : null;
    }

    public static string Of(ReadOnlySpan<byte> bytes) =>
        string.Join(':', Convert.ToHexStringLower(bytes).Chunk(2).Select(digits => new string(digits)));

    public static byte[] Bytes(string mac) => Convert.FromHexString(
        (Canonical(mac) ?? throw new KernelException(22, "read MAC " + mac)).Replace(":", "", StringComparison.Ordinal));
}
