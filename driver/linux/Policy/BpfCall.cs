using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace ControlPlane.DriverLinux;

/// <summary>The system call bpf(2): a command and its attributes (linux/bpf.h, union bpf_attr).</summary>
static unsafe class BpfCall
{
    public const int AttributeBytes = 128;

    /// <summary>As often as libbpf asks: the kernel's verifier gives up when a signal is pending, and the run-time sends its threads some.</summary>
    const int TriesMax = 5;
    const int TryAgain = 11;

    static readonly nint Number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 280 : 321;

    /// <summary>A command that answers with a descriptor.</summary>
    public static SafeFileHandle Open(int command, string what, byte[] attributes) =>
        new(Do(command, what, attributes), ownsHandle: true);

    public static nint Do(int command, string what, byte[] attributes)
    {
        fixed (byte* start = attributes)
        {
            for (var tries = 1; ; tries++)
            {
                var result = Libc.SystemCall(Number, command, start, attributes.Length);
                if (result >= 0)
                {
                    return result;
                }

                if (Marshal.GetLastPInvokeError() != TryAgain || tries == TriesMax)
                {
                    throw KernelException.Last(what);
                }
            }
        }
    }

    /// <summary>Null when the kernel has none of that number any more.</summary>
    public static SafeFileHandle? Find(int command, string what, uint id)
    {
        var attributes = new byte[AttributeBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(attributes, id);
        try
        {
            return Open(command, what, attributes);
        }
        catch (KernelException error) when (error.NoSuchEntry)
        {
            return null;
        }
    }

    /// <summary>The kernel takes 15 characters: letters, digits, underscore and dot.</summary>
    public static byte[] Label(string name) =>
        Encoding.ASCII.GetBytes(new string([.. name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_').Take(15)]));
}
