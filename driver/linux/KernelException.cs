using System.Globalization;
using System.Runtime.InteropServices;
using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>What the kernel refused and why, in its own words. Commands turn it into a completion.</summary>
public sealed class KernelException : Exception
{
    public KernelException(int errno, string what, string? explanation = null)
        : base(Text(errno, what, explanation)) => Errno = errno;

    KernelException(string message, int errno)
        : base(message) => Errno = errno;

    public int Errno { get; }

    internal bool NoSuchEntry => Errno == 2;
    internal bool Exists => Errno == 17;
    internal bool NoSuchDevice => Errno == 19;

    /// <summary>The completion status nearest to the kernel's answer.</summary>
    internal NdisStatus Status => Errno switch
    {
        // EXFULL is what a full bridge answers.
        12 or 24 or 28 or 54 or 105 => NdisStatus.Resources,
        95 => NdisStatus.NotSupported,
        _ => NdisStatus.Failure,
    };

    /// <summary>The same refusal, with what became of it.</summary>
    internal KernelException Then(string more) => new($"{Message}; {more}", Errno);

    internal static KernelException Last(string what) => new(Marshal.GetLastPInvokeError(), what);

    static string Text(int errno, string what, string? explanation)
    {
        var text = $"{what}: {Name(errno)} {Marshal.GetPInvokeErrorMessage(errno)}";
        return explanation is null ? text : $"{text} ({explanation})";
    }

    static string Name(int errno) => errno switch
    {
        1 => "EPERM",
        2 => "ENOENT",
        4 => "EINTR",
        11 => "EAGAIN",
        12 => "ENOMEM",
        13 => "EACCES",
        16 => "EBUSY",
        17 => "EEXIST",
        19 => "ENODEV",
        20 => "ENOTDIR",
        22 => "EINVAL",
        24 => "EMFILE",
        28 => "ENOSPC",
        30 => "EROFS",
        34 => "ERANGE",
        36 => "ENAMETOOLONG",
        40 => "ELOOP",
        54 => "EXFULL",
        95 => "EOPNOTSUPP",
        97 => "EAFNOSUPPORT",
        100 => "ENETDOWN",
        105 => "ENOBUFS",
        110 => "ETIMEDOUT",
        _ => "errno " + errno.ToString(CultureInfo.InvariantCulture),
    };
}
